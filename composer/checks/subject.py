"""Subject, preheader and title: what the inbox shows."""

from collections.abc import Iterator

from composer.checks.checked import Checked, Problem

LONGEST_SUBJECT = 78
LONGEST_PREHEADER = 140


def check(checked: Checked) -> Iterator[Problem]:
    content = checked.content
    subject, preheader = content.subject.strip(), content.preheader.strip()
    if not content.title.strip():
        yield Problem(level="error", code="title.empty", message="the edition has no title; write one", where="title")
    if not subject:
        yield _subject("error", "subject.empty", "the subject is empty; write one")
    elif len(subject) > LONGEST_SUBJECT:
        yield _subject(
            "warning",
            "subject.long",
            f"the subject has {len(subject)} characters; inboxes cut it, most before {LONGEST_SUBJECT}",
        )
    if len(subject) > 6 and subject.isupper():
        yield _subject("warning", "subject.all_caps", "the subject is all capitals, as spam is; write it as a sentence")
    if "\n" in subject or "\r" in subject:
        yield _subject("warning", "subject.line_break", "the subject has a line break; it is sent as a space")
    if not preheader:
        yield _preheader("preheader.empty", "no preheader; inboxes then show the first words of the mail")
    elif len(preheader) > LONGEST_PREHEADER:
        yield _preheader(
            "preheader.long", f"the preheader has {len(preheader)} characters; {LONGEST_PREHEADER} are shown"
        )
    elif preheader == subject:
        yield _preheader("preheader.same", "the preheader repeats the subject; let it say something more")


def _subject(level: str, code: str, message: str) -> Problem:
    return Problem(level="error" if level == "error" else "warning", code=code, message=message, where="subject")


def _preheader(code: str, message: str) -> Problem:
    return Problem(level="warning", code=code, message=message, where="preheader")
