"""One record to one subscriber, or the reason why it cannot be one. Nothing here knows the database."""

import functools
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import orjson

from subscribers.addresses import NotAnAddressError, TooLongError, UnicodeLocalPartError, normalised
from subscribers.importing import answers, typos, values, zones
from subscribers.importing.dates import earliest_iso_date, is_blank, iso_date
from subscribers.importing.errors import RowError, shown
from subscribers.importing.layout import Layout, state_by_name
from subscribers.importing.presets.preset import folded
from subscribers.importing.state_reading import StateReader
from subscribers.importing.states import State
from subscribers.importing.telling_cells import TellingCells
from subscribers.importing.yes_and_no import YES
from subscribers.interchange import restored, with_line_ends
from subscribers.role_addresses import role

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
#: What PostgreSQL's text cannot hold, and what stands for bytes that could not be read.
_UNREADABLE = re.compile(r"[\x00\ud800-\udfff\ufffd]")
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
_LINE_END = re.compile(r"[\r\n]")
_MAX_ROW = 20_000
_MAX_WORDING = 5000
#: So many role addresses are named with their lines; a list of firms has thousands, which would hide all else.
_ROLES_NAMED = 20


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
    state: State
    #: ISO 8601.
    consent_at: str | None
    left_at: str | None
    source: str
    wording: str
    #: Unsubscribed from this list only.
    list_only: bool = False
    #: The consent's date is one of a consent, not of an entry.
    explicit: bool = False
    tracking: answers.Answer = answers.NONE
    #: The earliest moment that `consent_at` can mean, where no zone stands there and it may bring somebody back.
    consent_earliest: str | None = None


class RowReader:
    """Rows by a layout. `warn` hears of what is left out of a row that is kept."""

    def __init__(self, layout: Layout, *, floor: State, warn: Callable[[int, str], None]) -> None:
        self._layout = layout
        self._floor = max(floor, layout.floor)
        self._warn = warn
        self._states = StateReader(layout, floor=self._floor, warn=warn)
        # Most files have neither, and pay nothing for them.
        self._reads_states = layout.reads_states
        self._proves = any(at for name, at in layout.fields.items() if name.startswith("consent_"))
        self._now = datetime.now(UTC).isoformat()
        self._exact = layout.preset.exact
        self._explicit = set(layout.explicit_consent)
        self._refused_in = layout.rejected_from
        self._telling = TellingCells(layout, warn=warn)
        #: Attribute → the only line that has it, or 0.
        self.lines_of: dict[str, int] | None = None
        #: Addresses of a role whose lines are not named any more.
        self.more_roles = 0
        self._roles = 0

    def row(self, cells: list[str], line: int) -> Row:
        """The subscriber on this line. Raises RowError, and UnknownWordError for the whole file."""
        cells = self._fitted(cells, line)
        if self._exact:
            cells = [restored(cell) for cell in cells]
        _check_readable(cells, exact=self._exact)
        email = address_of(self._cell(cells, "email"))
        state, left_at = self._states.of(cells, line) if self._reads_states else (self._floor, None)
        if self._refused_in is not None:
            state = max(state, state_by_name(Path(cells[self._refused_in]).stem))
        if self._telling.columns:
            state = max(state, self._telling.of(cells, line))
        self._look_at(email, line, mailed=state <= State.PENDING)
        try:
            name, tags = self._name(cells), _checked_tags(self._cell(cells, "tags"), exact=self._exact)
        except RowError as problem:
            if state == State.ACTIVE:
                raise
            # That somebody left has to be kept, whatever their name looks like.
            self._warn(line, f"{problem}; name and tags are left empty")
            name, tags = "", ()
        if tags and not self._exact:
            state = max(state, self._telling.of_tags(tags, line))
        consent_at = self._consent_at(cells, line) if self._proves else None
        explicit = any(cells[at].strip() for at in self._explicit)
        return Row(
            email=email,
            address=email.lower(),
            name=name,
            language=self._understood(cells, "language", zones.language, line),
            timezone=self._understood(cells, "timezone", zones.timezone, line),
            attributes=self._counted(self._attributes(cells, line), line),
            tags=tags,
            state=state,
            consent_at=consent_at,
            left_at=left_at,
            source=self._source(cells) if self._proves else "",
            wording=self._wording(cells) if self._proves else "",
            list_only=state == State.UNSUBSCRIBED and self._left_one_list(cells),
            explicit=explicit,
            tracking=self._tracking(cells, line) if self._layout.fields["tracking"] else answers.NONE,
            consent_earliest=self._earliest(cells, consent_at) if consent_at and explicit else None,
        )

    def _cell(self, cells: Sequence[str], name: str) -> str:
        """The first filled cell of the field."""
        for at in self._layout.fields[name]:
            if text := cells[at] if self._exact else cells[at].strip():
                return text
        return ""

    def _look_at(self, email: str, line: int, *, mailed: bool) -> None:
        if meant := typos.meant(email):
            self._warn(line, f"{email}: perhaps {meant} is meant; it is kept as it is")
        if not mailed or not role(email):
            return
        self._roles += 1
        if self._roles > _ROLES_NAMED:
            self.more_roles += 1
        else:
            self._warn(line, f"{email} is of a role, not of a person: did somebody agree? It is kept")

    def _left_one_list(self, cells: Sequence[str]) -> bool:
        words = self._layout.preset.left_list
        return bool(words) and any(folded(cells[at]) in words for at in self._layout.status)

    def _fitted(self, cells: list[str], line: int) -> list[str]:
        width, count = self._layout.width, len(cells)
        if count < width:
            self._warn(line, f"{_count(count)}, but the heading has {width}: the others are taken for empty")
            cells = [*cells, *[""] * (width - count)]
        elif count > width and any(cell.strip() for cell in cells[width:]):
            if self._layout.reads_states:
                raise RowError(f"{_count(count)}, but the heading has {width}: which one says the state is not certain")
            self._warn(line, f"{_count(count)}, but the heading has {width}: the last are left out")
        for at in self._layout.nameless:
            if cells[at].strip():
                self._warn(line, "a cell in a column without a heading is left out")
        return cells if len(cells) == width else cells[:width]

    def _name(self, cells: Sequence[str]) -> str:
        whole = self._cell(cells, "name")
        if not whole:
            whole = f"{self._cell(cells, 'first_name')} {self._cell(cells, 'last_name')}".strip()
        return _checked_name(whole, exact=self._exact)

    def _understood(self, cells: Sequence[str], field: str, understand: Callable[[str], str], line: int) -> str:
        text = self._cell(cells, field)
        if not text:
            return ""
        found = understand(text)
        if not found:
            self._warn(line, f"{field}: {shown(text)} is not understood, and left empty")
        return found

    def _attributes(self, cells: Sequence[str], line: int) -> str:
        filled = {name: text for at, name in self._layout.attributes if (text := cells[at].strip())}
        for at in self._layout.fields["json"]:
            text = cells[at].strip()
            if not text:
                continue
            if self._exact and not filled and (stored := values.as_stored(text)):
                return stored
            found = values.unpacked(text)
            if found is None:
                self._warn(line, f"{self._layout.headings[at]}: no JSON object; kept as text")
                found = {self._layout.headings[at]: text}
            filled |= found
        written = orjson.dumps(filled).decode()
        if "\\u0000" in written:
            # A NUL, which PostgreSQL's JSON cannot hold; not the six characters, which somebody may have typed.
            written = orjson.dumps(
                {name.replace("\0", ""): text.replace("\0", "") for name, text in filled.items()}
            ).decode()
        return written

    def _counted(self, attributes: str, line: int) -> str:
        if self.lines_of is not None:
            for name in orjson.loads(attributes):
                self.lines_of[name] = 0 if name in self.lines_of else line
        return attributes

    def _consent_at(self, cells: Sequence[str], line: int) -> str | None:
        text = self._cell(cells, "consent_at")
        if is_blank(text) or text.casefold() in YES:
            return None
        found = iso_date(text)
        if found is None or found > self._now:
            self._warn(line, f"the date of consent {shown(text)} is not understood, and taken for unknown")
            return None
        return found

    def _earliest(self, cells: Sequence[str], consent_at: str) -> str | None:
        found = earliest_iso_date(self._cell(cells, "consent_at"))
        return None if found == consent_at else found

    def _tracking(self, cells: Sequence[str], line: int) -> answers.Answer:
        def cell(name: str) -> str:
            text = self._cell(cells, name)
            return with_line_ends(text) if self._exact else text

        return answers.read(cell, line, until=self._now, warn=self._warn)

    def _source(self, cells: Sequence[str]) -> str:
        said = self._cell(cells, "consent_source")
        if self._exact:
            return with_line_ends(said)[:200]
        address = values.shortened_ip(self._cell(cells, "consent_ip"))
        return "; ".join(part for part in (_CONTROL.sub(" ", said[:120]), address) if part)

    def _wording(self, cells: Sequence[str]) -> str:
        said = self._cell(cells, "consent_wording")
        return with_line_ends(said) if self._exact else said[:_MAX_WORDING]


def _count(cells: int) -> str:
    return "1 cell" if cells == 1 else f"{cells} cells"


def _check_readable(cells: Sequence[str], *, exact: bool) -> None:
    text = "".join(cells)
    if exact:
        if _UNSTORABLE.search(text):
            raise RowError("a character that no text can hold")
        return
    if text.isascii():
        if "\x00" in text:
            raise RowError("a NUL character")
    elif _UNREADABLE.search(text):
        raise RowError("bytes that are not the file's encoding; save it as UTF-8")
    if len(text) > _MAX_ROW:
        raise RowError(f"more than {_MAX_ROW} characters")


def address_of(cell: str) -> str:
    """The address with its domain in ASCII and lower case. Raises RowError."""
    if not cell:
        raise RowError("no address")
    # As mail programs write it: "Ada Lovelace <ada@example.com>", "mailto:ada@example.com".
    if cell.endswith(">") and "<" in cell:
        cell = cell[cell.rindex("<") + 1 : -1].strip()
    cell = cell.removeprefix("mailto:")
    try:
        return normalised(cell)
    except TooLongError:
        raise RowError(f"{shown(cell)} is longer than an address can be") from None
    except UnicodeLocalPartError:
        raise RowError(f"{shown(cell)}: letters outside ASCII before the @ cannot be delivered") from None
    except NotAnAddressError as error:
        raise RowError(f"{shown(cell)} is not an address" + (f": {error}" if str(error) else "")) from None


def _checked_name(cell: str, *, exact: bool) -> str:
    if (_LINE_END if exact else _CONTROL).search(cell):
        raise RowError("the name holds a line break or another control character")
    if len(cell) > 200:
        raise RowError("the name has more than 200 characters")
    return cell


@functools.lru_cache(maxsize=10_000)
def _checked_tags(cell: str, *, exact: bool) -> tuple[str, ...]:
    found = (values.exact_tags(cell) if exact else None) or values.tags(cell)
    for tag in found:
        if len(tag) > 100 or (not exact and _CONTROL.search(tag)):
            raise RowError(f"tags: {shown(tag)} is longer than 100 characters or holds a control character")
    return found
