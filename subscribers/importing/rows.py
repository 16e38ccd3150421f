"""One record to one subscriber, or the reason why it cannot be one. Nothing here knows the database."""

import functools
import re
import zoneinfo
from collections.abc import Sequence
from typing import NamedTuple

import idna
import orjson

from newsdesk.core.errors import InputError

PROFILE = ("email", "name", "language", "timezone", "tags")
_SAME_AS_EMAIL = {"e-mail", "email address", "e-mail address"}

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
#: What PostgreSQL's text cannot hold, and what stands for bytes that could not be read.
_UNREADABLE = re.compile(r"[\x00\ud800-\udfff\ufffd]")
#: RFC 5322's dot-atom; SendGrid takes no quoted local parts and no non-ASCII ones.
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+(?![0-9]+\Z)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
#: RFC 5646: language, script, region, variants; a private use subtag is no language anybody writes in.
_LANGUAGE = re.compile(
    r"([a-z]{2,3}|[a-z]{5,8})(-[a-z]{4})?(-(?:[a-z]{2}|[0-9]{3}))?((?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*)"
)
_TAG_SEPARATOR = re.compile(r"[;,|]")
_MAX_ROW = 20_000


class RowError(InputError):
    """The row is rejected; the message says why."""


class Row(NamedTuple):
    email: str
    #: The email in lower case.
    address: str
    name: str
    language: str
    timezone: str
    #: A JSON object of the filled cells.
    attributes: str
    tags: tuple[str, ...]


class Heading:
    """What each column is. Raises InputError for a heading that cannot be used."""

    def __init__(self, cells: Sequence[str], where: str) -> None:
        names = [_heading(cell) for cell in cells]
        if "email" not in names:
            seen = ", ".join(name or "(empty)" for name in names) or "none"
            raise InputError(f"{where}: no column named email; the columns are: {seen[:500]}.")
        for position, name in enumerate(names):
            if name and name in names[:position]:
                raise InputError(f"{where}: two columns are named {name}; leave one.")
            if _UNREADABLE.search(name) or len(name) > 200:
                raise InputError(f"{where}: the heading of column {position + 1} cannot be read.")
        self.width = len(names)
        self._profile = {name: names.index(name) if name in names else None for name in PROFILE}
        self._attributes = [(at, name) for at, name in enumerate(names) if name and name not in PROFILE]
        self._nameless = [at for at, name in enumerate(names) if not name]

    def row(self, cells: Sequence[str]) -> Row:
        """The subscriber on this line. Raises RowProblem."""
        if len(cells) != self.width:
            raise RowError(f"{_count(len(cells))}, but the heading has {self.width}")
        if any(cells[at].strip() for at in self._nameless):
            raise RowError("a cell in a column without a heading")
        _check_readable(cells)
        email = _email(self._cell(cells, "email"))
        filled = {name: text for at, name in self._attributes if (text := cells[at].strip())}
        return Row(
            email=email,
            address=email.lower(),
            name=_name(self._cell(cells, "name")),
            language=_language(self._cell(cells, "language")),
            timezone=_timezone(self._cell(cells, "timezone")),
            attributes=orjson.dumps(filled).decode(),
            tags=_tags(self._cell(cells, "tags")),
        )

    def _cell(self, cells: Sequence[str], name: str) -> str:
        at = self._profile[name]
        return "" if at is None else cells[at].strip()


def _heading(cell: str) -> str:
    name = cell.strip()
    folded = name.lower()
    if folded in _SAME_AS_EMAIL:
        return "email"
    return folded if folded in PROFILE else name


def _count(cells: int) -> str:
    return "1 cell" if cells == 1 else f"{cells} cells"


def _check_readable(cells: Sequence[str]) -> None:
    text = "".join(cells)
    if text.isascii():
        if "\x00" in text:
            raise RowError("a NUL character")
    elif _UNREADABLE.search(text):
        raise RowError("bytes that are not the file's encoding; save it as UTF-8")
    if len(text) > _MAX_ROW:
        raise RowError(f"more than {_MAX_ROW} characters")


def _email(cell: str) -> str:
    if not cell:
        raise RowError("no address")
    local, at, domain = cell.rpartition("@")
    if at and not local.isascii():
        raise RowError(f"{_shown(cell)}: letters outside ASCII before the @ cannot be delivered")
    domain = _ascii_domain(domain)
    if not _LOCAL.fullmatch(local) or not _DOMAIN.fullmatch(domain):
        raise RowError(f"{_shown(cell)} is not an address")
    # RFC 5321, section 4.5.3.1, and erratum 1690 of RFC 3696.
    if len(local) > 64 or len(local) + len(domain) > 253:
        raise RowError(f"{_shown(cell)} is longer than an address can be")
    return f"{local}@{domain}"


@functools.lru_cache(maxsize=10_000)
def _ascii_domain(domain: str) -> str:
    """As the domain name system spells it; "" for what cannot exist."""
    if domain.isascii():
        return domain.lower()
    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError:
        return ""


def _name(cell: str) -> str:
    if _CONTROL.search(cell):
        raise RowError("the name holds a line break or another control character")
    if len(cell) > 200:
        raise RowError("the name has more than 200 characters")
    return cell


@functools.lru_cache(maxsize=1000)
def _language(cell: str) -> str:
    """The tag in its customary case (RFC 5646, section 2.1.1); an underscore is taken for a hyphen."""
    if not cell:
        return ""
    match = _LANGUAGE.fullmatch(cell.replace("_", "-").lower())
    if not match or len(cell) > 20:
        raise RowError(f"language: {_shown(cell)} is not a tag such as en or zh-Hans")
    language, script, region, variants = match.groups(default="")
    return language + script.title() + region.upper() + variants


def _timezone(cell: str) -> str:
    if cell and cell not in _timezones():
        raise RowError(f"timezone: {_shown(cell)} is not a name such as Asia/Singapore")
    return cell


@functools.cache
def _timezones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


@functools.lru_cache(maxsize=10_000)
def _tags(cell: str) -> tuple[str, ...]:
    tags = tuple(dict.fromkeys(tag for part in _TAG_SEPARATOR.split(cell) if (tag := part.strip())))
    for tag in tags:
        if len(tag) > 100 or _CONTROL.search(tag):
            raise RowError(f"tags: {_shown(tag)} is longer than 100 characters or holds a control character")
    return tags


def _shown(text: str) -> str:
    """A cell in a message: short, on one line, safe to print."""
    shown = repr(text if len(text) <= 60 else text[:60] + "…")
    return shown.encode("utf-8", "backslashreplace").decode()
