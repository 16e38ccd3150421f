"""What a row's words, yes and no, and dates say of its reader's state."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from subscribers.importing.dates import is_blank, iso_date, moment
from subscribers.importing.errors import UnknownWordError, shown
from subscribers.importing.layout import Layout
from subscribers.importing.presets.preset import Flag, folded
from subscribers.importing.signs import spaced
from subscribers.importing.states import State
from subscribers.importing.yes_and_no import NO, YES

#: What people write behind a word: "Unsubscribed (admin)", "Unsubscribed on 3 May".
_BESIDE = re.compile(r"\s*\(.*|\s+(?:on|since|at|by|am|seit|le|depuis|el|desde|il|dal|em|op)\s.*", re.DOTALL)
#: A count, or a day as a spreadsheet counts them.
_NUMBER = re.compile(r"\d{1,15}(?:\.\d{1,15})?")
#: A mail server's answer, with or without RFC 3463's status: "5.1.1", "550 5.1.1 no such user".
_CODE = re.compile(r"[45](?:\d\d|\.\d{1,3}\.\d{1,3})(?!\S)")


class StateReader:
    """`floor` is the best that anybody in the file can be."""

    def __init__(self, layout: Layout, *, floor: State, warn: Callable[[int, str], None]) -> None:
        self._layout = layout
        self._floor = floor
        self._warn = warn
        self._now = datetime.now(UTC).isoformat()

    def of(self, cells: Sequence[str], line: int) -> tuple[State, str | None]:
        """The worst that any column says, and the date of it."""
        layout, state, left_at = self._layout, self._floor, None
        for at, flag in layout.flags:
            found = self._flag(at, flag, cells[at].strip(), line)
            if found > state:
                state = found
                left_at = iso_date(cells[at])
        for at, mark in layout.left:
            if not is_blank(cells[at]):
                state = max(state, self._more_exactly(mark, cells[at]))
                left_at = left_at or iso_date(cells[at])
        for at, sign in layout.signs:
            found = sign.of(cells[at], layout.words)
            if sign.is_status and found == State.ACTIVE and not layout.status:
                found = self._only_word(at, cells[at].strip(), line)
            state = max(state, found)
            if found > State.PENDING:
                left_at = left_at or iso_date(cells[at])
        if layout.status:
            state = max(state, self._by_words(cells, line))
        return state, left_at if left_at and left_at <= self._now else None

    def _more_exactly(self, mark: State, cell: str) -> State:
        """A reason in words instead of a date: "HardBounce" among suppressions."""
        said = self._layout.words.get(folded(spaced(cell)), State.ACTIVE)
        return mark if said == State.ACTIVE else said

    def _by_words(self, cells: Sequence[str], line: int) -> State:
        found = [self._word(at, text, line) for at in self._layout.status if (text := cells[at].strip())]
        if not found:
            self._warn(line, "no status: taken for waiting for confirmation, and not mailed")
            return State.PENDING
        return max(found)

    def _only_word(self, at: int, text: str, line: int) -> State:
        """Where nothing else in the file says what somebody is, a word that is not known may say that they left."""
        if is_blank(text) or text.casefold() in YES:
            return State.ACTIVE
        return self._word(at, text, line)

    def _word(self, at: int, text: str, line: int) -> State:
        state = self._known(text)
        if state is None and (short := _BESIDE.sub("", text)) != text:
            state = self._known(short)
        if state is None and (code := _CODE.match(text)):
            return State.HARD_BOUNCE if code[0].startswith("5") else State.ACTIVE
        if state is None:
            raise self._unknown(at, text, line)
        return state

    def _known(self, text: str) -> State | None:
        """By the word, or by its form for a man where it is that for a woman, or for several."""
        words = self._layout.words
        for word in (folded(text), folded(spaced(text))):
            for form in (word, word.removesuffix("s"), word.removesuffix("s").removesuffix("e")):
                if form in words:
                    return words[form]
            if word.endswith(("a", "as")) and (form := word.removesuffix("s")[:-1] + "o") in words:
                return words[form]
        return None

    def _flag(self, at: int, flag: Flag, text: str, line: int) -> State:
        if not text:
            return flag.empty
        word = text.casefold()
        if word in YES:
            return flag.yes
        if word in NO:
            return flag.no
        # A date says when it was answered with yes.
        if moment(text) or (_NUMBER.fullmatch(text) and float(text) > 1):
            return flag.yes
        known = self._known(text)
        if known is None:
            raise self._unknown(at, text, line)
        return known

    def _unknown(self, at: int, text: str, line: int) -> UnknownWordError:
        heading = self._layout.headings[at]
        return UnknownWordError(
            f"line {line}: {heading}: {shown(text)} is no state that is understood; nothing is imported. Name the right column "
            f'with --status-column, or keep this one as an attribute with --map "{heading}=NAME".'
        )
