"""Subject, preheader and title: what the inbox shows."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from composer.checks.context import CheckContext, Problem
from composer.merge_tags import NAMES, translate

LONGEST_SUBJECT = 78
LONGEST_PREHEADER = 140
#: More than this many pictures in a line look like an advertisement.
MOST_EMOJI = 1
#: How long a reader's name is taken to be.
_NAME = "Alexandra"
_EMOJI = re.compile("[\U0001f1e6-\U0001f1ff]{2}|[\U0001f300-\U0001faff\u2600-\u27bf\u2b50\u2b55]")
_TOKEN = re.compile(r"-nd[A-Z][A-Za-z0-9]*-")


def check(context: CheckContext) -> Iterator[Problem]:
    content = context.content
    subject, preheader = content.subject.strip(), content.preheader.strip()
    if not content.title.strip():
        yield Problem(level="error", code="title.empty", message="the edition has no title; write one", where="title")
    if not subject:
        yield Problem(level="error", code="subject.empty", message="the subject is empty; write one", where="subject")
    elif (length := len(as_read(subject))) > LONGEST_SUBJECT:
        message = f"the subject has {length} characters; inboxes cut it, most before {LONGEST_SUBJECT}"
        yield _warning("subject", "subject.long", message)
    if "\n" in subject or "\r" in subject:
        yield _warning("subject", "subject.line_break", "the subject has a line break; it is sent as a space")
    if not preheader:
        yield _warning("preheader", "preheader.empty", "no preheader; inboxes then show the first words of the mail")
    elif (length := len(as_read(preheader))) > LONGEST_PREHEADER:
        message = f"the preheader has {length} characters; {LONGEST_PREHEADER} are shown"
        yield _warning("preheader", "preheader.long", message)
    elif _repeats(subject, preheader):
        yield _warning("preheader", "preheader.same", "the preheader repeats the subject; let it say something more")
    for where, text in (("subject", subject), ("preheader", preheader)):
        yield from _manner(where, text)


def as_read(text: str) -> str:
    """The line as one reader sees it: a merge tag is as long as a name, or as its default."""
    translated, tags = translate(text, "text")
    for tag in tags:
        translated = translated.replace(tag.token, tag.default or _NAME)
    return translated


def _repeats(subject: str, preheader: str) -> bool:
    first, second = (re.sub(r"\W+", "", text).casefold() for text in (subject, preheader))
    return bool(first) and (second == first or (len(first) >= 10 and second.startswith(first)))


class _Codes(NamedTuple):
    """The codes of one line."""

    all_caps: str
    emoji: str
    out_of_place: str
    only_tag: str


_CODES = {
    "subject": _Codes("subject.all_caps", "subject.emoji", "subject.tag", "subject.only_tag"),
    "preheader": _Codes("preheader.all_caps", "preheader.emoji", "preheader.tag", "preheader.only_tag"),
}


def _manner(where: str, text: str) -> Iterator[Problem]:
    """What makes a line look like an advertisement, or break for some readers."""
    all_caps, emoji, out_of_place, only_tag = _CODES[where]
    plain = as_read(text)
    if len(plain) > 6 and plain.isupper():
        yield _warning(where, all_caps, f"the {where} is all capitals, as spam is; write it as a sentence")
    if len(_EMOJI.findall(plain)) > MOST_EMOJI:
        message = f"the {where} has several emoji; screen readers read each aloud: keep one at most"
        yield _warning(where, emoji, message)
    translated, tags = translate(text, "text")
    for tag in tags:
        if tag.field not in NAMES:
            message = f"{{{{ {tag.field} }}}} does not belong into the {where}; of merge tags, names alone do"
            yield Problem(level="error", code=out_of_place, message=message, where=where)
    if tags and not _TOKEN.sub("", translated).strip(" ,.:;!?-–—"):
        yield _warning(where, only_tag, f"the {where} is nothing but a merge tag; say what the edition is about")


def _warning(where: str, code: str, message: str) -> Problem:
    return Problem(level="warning", code=code, message=message, where=where)
