"""Per-recipient values: what editors write, what stands in the bytes, and what each reader gets.

An editor writes `{{ first_name | default: "reader" }}`. In the bytes stands a tag of letters and digits between hyphens,
which no renderer, inliner or URL parser touches: `-ndFirstName-` raw, for text and subject, and `-ndFirstNameHtml-` for
HTML, since SendGrid substitutes without escaping. A default travels inside its tag as the hex of its UTF-8 bytes
(`-ndFirstNameX726561646572-`), so that frozen bytes need nothing beside them to be filled.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from html import escape
from typing import Literal

from composer.entities import unescape

Flavour = Literal["text", "html"]


class Field(StrEnum):
    FIRST_NAME = "first_name"
    NAME = "name"
    EMAIL = "email"
    UNSUBSCRIBE_URL = "unsubscribe_url"
    PREFERENCES_URL = "preferences_url"
    #: The same for all readers: rendering fills it in, it is never left in the bytes.
    WEB_URL = "web_url"


#: Fields that may be empty for a reader and so take a default.
NAMES = frozenset({Field.FIRST_NAME, Field.NAME})
#: Fields that are escaped for HTML; URLs must come fit for both.
_ESCAPED = NAMES | {Field.EMAIL}
WEB_URL = "-ndWebUrl-"


@dataclass(frozen=True, kw_only=True, order=True)
class Tag:
    """One tag of the bytes."""

    #: As it stands in the bytes: `-ndFirstNameHtml-`.
    token: str
    field: Field
    html: bool
    default: str = ""


@dataclass(frozen=True, kw_only=True)
class Unknown:
    """Something in double braces that is not one of our tags; `message` says what to write instead."""

    written: str
    message: str


_EXPRESSION = re.compile(r"""(\w+)(?:\|default(?::|\()\s*(?:"([^"]*)"|'([^']*)'|“([^“”]*)”)\s*\)?)?""")
_SPACES = re.compile(r"\s+")
_TOKEN = re.compile(r"-nd((?:[A-Z][a-z]+)+?)(Html)?(?:X((?:[0-9a-f]{2})+))?-")
#: Taken out of names: what could start a header, and what could be taken for another tag.
_UNWANTED = re.compile(r"[\r\n]+|-nd(?=[A-Z])")
#: Where a value could be, begin or end a tag: SendGrid looks for one tag after the other, also in what it has filled in.
_BEGINS_A_TAG = re.compile(r"-(?=nd[A-Z]|nd?\Z)")
_TAG_IN_ADDRESS = re.compile(r"-(?=nd[A-Z])")
_ENDS_A_TAG = re.compile(r"\A(?=n?d[A-Z])")
#: What no reader sees: a zero-width non-joiner.
INVISIBLE = "\u200c"
_CAMEL = {field: "".join(word.title() for word in field.split("_")) for field in Field}
_FIELDS = {camel: field for field, camel in _CAMEL.items()}
_BY_NAME = {str(field): field for field in Field}


def token(field: Field, flavour: Flavour, default: str = "") -> str:
    """The tag for the bytes. URLs and addresses have one form for both flavours, names have two."""
    marked = "Html" if flavour == "html" and field in _ESCAPED else ""
    packed = f"X{default.encode().hex()}" if default else ""
    return f"-nd{_CAMEL[field]}{marked}{packed}-"


def translate(text: str, flavour: Flavour) -> tuple[str, tuple[Tag, ...]]:
    """Replace what the editor wrote by tags for the bytes, and tell which were used.

    In the flavour "html" the text is HTML already: `&quot;` and `&nbsp;` inside the braces are understood. What is
    unknown stays as it stands (`unknown_tags` names it, which is an error of the checks).
    """
    if "{{" not in text:
        return text, ()
    used: dict[str, Tag] = {}
    parts: list[str] = []
    for before, inner in _in_braces(text):
        parts.append(before)
        if inner is None:
            continue
        tag = _read(inner)
        if tag is None:
            parts.append(f"{{{{{inner}}}}}")
            continue
        field, default = tag
        written = token(field, flavour, default)
        used[written] = Tag(token=written, field=field, html=flavour == "html" and field in _ESCAPED, default=default)
        parts.append(written)
    return "".join(parts), tuple(used.values())


def unknown_tags(text: str) -> tuple[Unknown, ...]:
    """What stands in (or looks like) double braces and is no tag of ours, each with a suggestion."""
    pieces = list(_in_braces(text))
    problems = [
        Unknown(written=f"{{{{{inner}}}}}", message=_advice(inner))
        for _, inner in pieces
        if inner is not None and not _read(inner)
    ]
    rest = "".join(before for before, _ in pieces)
    problems += [
        Unknown(written=brace, message=f"“{brace}” without its partner: a merge tag is written {{{{ first_name }}}}")
        for brace in ("{{", "}}")
        if brace in rest
    ]
    return tuple(problems)


def tags_in(*parts: bytes | str) -> tuple[Tag, ...]:
    """Every tag left in the given bytes (or their text), once each, in a stable order."""
    tags: set[Tag] = set()
    for part in parts:
        text = part.decode() if isinstance(part, bytes) else part
        tags.update(tag for match in _TOKEN.finditer(text) if (tag := _tag(match)))
    return tuple(sorted(tags))


def values(
    tags: Iterable[Tag],
    *,
    name: str = "",
    email: str = "",
    unsubscribe_url: str = "",
    preferences_url: str = "",
    first_name: str = "",
) -> dict[str, str]:
    """One reader's substitutions, for SendGrid or a byte join: token → value.

    Line breaks are taken out (a name must not start a header) and values for HTML are escaped. `first_name` is the first
    word of the name when it is not given. Raises ValueError when a link is used and missing: a link must never be empty.
    """
    values = {
        Field.NAME: name,
        Field.FIRST_NAME: first_name or name.partition(" ")[0],
        Field.EMAIL: email,
        Field.UNSUBSCRIBE_URL: unsubscribe_url,
        Field.PREFERENCES_URL: preferences_url,
    }
    filled: dict[str, str] = {}
    for tag in tags:
        value = values.get(tag.field, "")
        if tag.field in NAMES:
            value = _UNWANTED.sub(" ", value).strip() or tag.default
        elif not value:
            raise ValueError(f"{tag.field} is used in the edition but was not given for this reader")
        filled[tag.token] = _without_tags(escape(value) if tag.html else value, tag)
    return filled


def _without_tags(value: str, tag: Tag) -> str:
    """The value as it reads before, with nothing in it or at its ends that could be taken for a tag of the bytes."""
    if tag.field not in _ESCAPED:
        return _TAG_IN_ADDRESS.sub("%2D", value)
    hyphen = "&#45;" if tag.html else f"-{INVISIBLE}"
    return _ENDS_A_TAG.sub(INVISIBLE, _BEGINS_A_TAG.sub(hyphen, value))


#: The order of the fields in a reader's row, for `filler`.
_ROW = {
    Field.NAME: 0,
    Field.FIRST_NAME: 1,
    Field.EMAIL: 2,
    Field.UNSUBSCRIBE_URL: 3,
    Field.PREFERENCES_URL: 4,
}
#: Most names and addresses, in which `values` surely changes nothing: told in half the time that it takes to look for what it changes.
_PLAIN = re.compile(r"(?!n?d[A-Z])[\w.@+]++(?:[ -](?!nd?(?: |\Z)|nd[A-Z])[\w.@+]++)*+")
#: What `values` would change in a name, its first word or an address.
_NEEDS_CARE = re.compile(r"""[&<>"']|[^\S ]|^ | $|-nd|-n(?: |$)|^n?d[A-Z]|\x00""")


def filler(tags: Iterable[Tag]) -> Callable[[str, str, str, str], dict[str, str]]:
    """`values` for many readers: a function of name, email, unsubscribe URL and preferences URL.

    Raises ValueError like `values`.
    """
    tags = tuple(tags)
    simple = [tag for tag in tags if tag.field in _ESCAPED or (tag.field in _ROW and not tag.html)]
    plan = [
        (tag.token, _ROW[tag.field], _without_tags(escape(tag.default) if tag.html else tag.default, tag))
        for tag in simple
    ]
    others = len(simple) < len(tags)

    def fill_in(name: str, email: str, unsubscribe_url: str, preferences_url: str) -> dict[str, str]:
        given = bool(email and unsubscribe_url and preferences_url)
        odd_link = "-nd" in unsubscribe_url or "-nd" in preferences_url
        if others or not given or odd_link or _needs_care(name) or _needs_care(email):
            return values(
                tags, name=name, email=email, unsubscribe_url=unsubscribe_url, preferences_url=preferences_url
            )
        row = (name, name.partition(" ")[0], email, unsubscribe_url, preferences_url)
        return {written: row[at] or default for written, at, default in plan}

    return fill_in


def _needs_care(value: str) -> bool:
    return not _PLAIN.fullmatch(value) and _NEEDS_CARE.search(value) is not None


def fill(text: str, substitutions: Mapping[str, str]) -> str:
    """Put one reader's values in, for previews and test messages; a send joins bytes instead."""
    if not substitutions:
        return text
    tokens = "|".join(re.escape(written) for written in sorted(substitutions, key=len, reverse=True))
    return re.sub(tokens, lambda match: substitutions[match[0]], text)


def _in_braces(text: str) -> Iterator[tuple[str, str | None]]:
    """Each text between double braces behind the text before it; the rest with None.

    No regular expression: with thousands of openings and no end, each of them would be looked for to the end.
    """
    done = 0
    while (begin := text.find("{{", done)) >= 0 and (end := text.find("}}", begin + 2)) >= 0:
        yield text[done:begin], text[begin + 2 : end]
        done = end + 2
    yield text[done:], None


def _read(inner: str) -> tuple[Field, str] | None:
    inner = _SPACES.sub(" ", unescape(inner)).strip()
    match = _EXPRESSION.fullmatch(re.sub(r"\s*\|\s*", "|", inner, count=1))
    if not match or match[1] not in _BY_NAME:
        return None
    field = _BY_NAME[match[1]]
    default = match[2] or match[3] or match[4] or ""
    return field, default if field in NAMES else ""


def _advice(inner: str) -> str:
    written = f"{{{{{inner}}}}}"
    inner = _SPACES.sub(" ", unescape(inner)).strip()
    word = re.split(r"\W", inner, maxsplit=1)[0].lower()
    if word in _BY_NAME:
        return f'“{written}” is not readable: write {{{{ {word} }}}} or {{{{ {word} | default: "reader" }}}}'
    near = get_close_matches(word, _BY_NAME, n=1, cutoff=0.5)
    meant = f"did you mean {{{{ {near[0]} }}}}?" if near else f"known are {', '.join(_BY_NAME)}"
    return f"“{written}” is not a merge tag; {meant}"


def _tag(match: re.Match[str]) -> Tag | None:
    camel, html, packed = match[1], match[2], match[3]
    if camel not in _FIELDS:
        return None
    default = bytes.fromhex(packed).decode(errors="replace") if packed else ""
    return Tag(token=match[0], field=_FIELDS[camel], html=bool(html), default=default)
