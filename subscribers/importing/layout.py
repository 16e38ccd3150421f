"""What each column of a file is: the preset's columns, what the caller chose, and attributes for the rest."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from newsdesk.core.errors import InputError
from subscribers.importing.presets import preset_named, recognised
from subscribers.importing.presets.generic import GENERIC
from subscribers.importing.presets.preset import CONFIRMED, Flag, Preset, bad, folded
from subscribers.importing.signs import Sign, holds_addresses, is_of_something_else, sign, spaced
from subscribers.importing.states import State

_UNREADABLE = re.compile(r"[\x00\ud800-\udfff\ufffd]")
#: Beside one of these, "state" is where somebody lives.
_PLACES = {"city", "country", "zip", "zip_code", "postal_code", "postcode", "address", "street", "region", "town"}
_REFUSES = re.compile(r"(opted_out_of|opt_out_of|unsubscribed_from)_(?!(.*_)?(id|ip|url|link|campaign|source|page)\Z)")
#: A column that is kept as an attribute, and perhaps should not be.
_SUSPECT = re.compile(
    r"unsub|opt(ed)?_?out|bounce|status|suppress|blocked|blacklist|complain|abgemeldet|désab|désins|baja"
)
#: What `--only` may leave out; who somebody is and whether they may be mailed is always read.
_PROFILE = {"name", "first_name", "last_name", "language", "timezone", "tags", "json"}
#: A file of refused rows that was mended: what was added to it, and the file they were refused from.
REJECTED_FROM = "rejected_from"
REJECTED = ("rejected_line", "rejected_reason", REJECTED_FROM)
#: When somebody was entered is no consent that could bring them back.
_NO_CONSENT = {"created_at", "creation_date", "date_added"}
_NOT = {"not", "non", "no", "without", "except", "excluding", "minus", "ohne", "sans", "sin"}
_GONE = {
    State.COMPLAINT: "complaint complaints complained complainers spam spamreports",
    State.HARD_BOUNCE: "bounced bounces bounce hardbounces undeliverable bounced_emails",
    State.INVALID: "invalid",
    State.MANUAL: "blocklist blocklisted blacklist blacklisted suppressed suppression suppressions suppressionlist blocked",
    State.UNSUBSCRIBED: "unsubscribed unsubscribes unsubscribers unsubscribe unsubs unsub optout optouts deleted removed inactive "
    "abgemeldet abgemeldete désabonnés desabonnes désinscrits desinscrits bajas disiscritti",
    State.PENDING: "unconfirmed pending unbestätigt unbestätigte",
}
_Meaning = TypeVar("_Meaning")


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What the caller says of the columns, in the file's own names."""

    preset: str = ""
    status_column: str = ""
    #: Column → a field, or the name of an attribute.
    columns: Mapping[str, str] = field(default_factory=dict)
    drop: tuple[str, ...] = ()
    #: Nothing but these is kept beside the address, the states and the proof of consent; empty = everything.
    only: tuple[str, ...] = ()


def state_by_name(stem: str) -> State:
    """What a file's name says of everyone in it: the worst word, unless it is denied."""
    words = folded(spaced(stem)).split("_")
    if re.search(r"(^|_)(not|non)_?(subscribed|confirmed)(_|\Z)", "_".join(words)):
        return State.PENDING
    if _NOT & set(words):
        return State.ACTIVE
    text = " ".join(words)
    if re.search(r"\bopt(ed)? out\b", text):
        return State.UNSUBSCRIBED
    if words[0] == "cleaned":
        # Elsewhere in a name the word says that somebody tidied the file.
        return State.HARD_BOUNCE
    return next((state for state, gone in _GONE.items() if set(gone.split()) & set(words)), State.ACTIVE)


class Layout:
    """Raises InputError for a heading, or choices, that cannot be used."""

    def __init__(self, cells: Sequence[str], where: str, choices: Choices) -> None:
        self.headings = [cell.strip() for cell in cells]
        self._check_readable(where)
        self.width = len(self.headings)
        self._names = [folded(heading) for heading in self.headings]
        #: The same where words are told apart by capitals ("IsUnsubscribed").
        self._spaced = [folded(spaced(heading)) for heading in self.headings]
        self.preset: Preset = preset_named(choices.preset) if choices.preset else recognised(self._names)
        self._free = [bool(heading) for heading in self.headings]
        for heading in choices.drop:
            for at in self._named(heading, "--drop", where):
                self._free[at] = False
        self._renamed = self._mapped(choices, where)
        wanted = {at for heading in choices.only for at in self._named(heading, "--only", where)}
        self._unwanted = set(range(self.width)) - wanted if choices.only else set()
        self.fields = self._fields(choices)
        self.status = self._status(choices, where)
        self.flags, self.left = self._marks()
        # Whoever names the column of states has looked at the others.
        self.signs = [(at, one) for at, one in self._signs() if one.state is not None or not choices.status_column]
        self.words = {**GENERIC.words, **self.preset.words}
        present = [state for name, state in self.preset.whole_file.items() if name in self._names]
        self.floor = max(present, default=State.ACTIVE)
        self._sort_out_the_rest()
        if not self.fields["email"]:
            seen = ", ".join(heading or "(empty)" for heading in self.headings) or "none"
            raise InputError(f"{where}: no column named email; the columns are: {seen[:500]}.")

    def read_by_name(self) -> list[str]:
        """Columns that no preset knows, and that tell by their names who has left."""
        return [self.headings[at] for at, _ in self.signs]

    def suspects(self) -> list[str]:
        """Attributes by whose names somebody may have left."""
        return [
            self.headings[at]
            for at, _ in self.attributes
            if at not in self._renamed and _SUSPECT.search(self._names[at])
        ]

    def may_tell(self) -> list[int]:
        """The columns in which a word may say that somebody has left though nobody asks them: not those that the caller names or drops."""
        if self.preset.exact:
            return []
        asked = self._used() | {at for at, _ in self.signs} | set(self._renamed)
        return [
            at for at, name in enumerate(self._spaced)
            if name and self._free[at] and at not in asked and self._names[at] not in {*self.preset.technical, *REJECTED}
            and not is_of_something_else(name)
        ]  # fmt: skip

    @property
    def rejected_from(self) -> int | None:
        """The column that names the file in which a row was refused before."""
        return self._names.index(REJECTED_FROM) if REJECTED_FROM in self._names else None

    @property
    def explicit_consent(self) -> list[int]:
        """The columns that tell when the reader agreed, and not only when they were entered."""
        return [at for at in self.fields["consent_at"] if at in self._renamed or self._names[at] not in _NO_CONSENT]

    @property
    def reads_states(self) -> bool:
        return bool(self.status or self.flags or self.left or self.signs)

    def _check_readable(self, where: str) -> None:
        for position, heading in enumerate(self.headings):
            if _UNREADABLE.search(heading) or len(heading) > 200:
                raise InputError(f"{where}: the heading of column {position + 1} cannot be read.")

    def _named(self, heading: str, option: str, where: str) -> list[int]:
        found = [at for at, name in enumerate(self.headings) if name == heading.strip()]
        found = found or [at for at, name in enumerate(self._names) if name and name == folded(heading)]
        if not found:
            raise InputError(
                f"{where}: {option}: there is no column {heading!r}; there are: {', '.join(self.headings)}."
            )
        return found

    def _mapped(self, choices: Choices, where: str) -> dict[int, str]:
        """The columns that the caller names, by position."""
        return {
            at: target for heading, target in choices.columns.items() for at in self._named(heading, "--map", where)[:1]
        }

    def _positions(self, names: Iterable[str]) -> list[int]:
        return [
            at
            for name in dict.fromkeys(names)
            for at, own in enumerate(self._names)
            if name in (own, self._spaced[at]) and self._free[at] and at not in self._renamed
        ]

    def _fields(self, choices: Choices) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for name, usual in GENERIC.fields.items():
            chosen = [at for at, target in self._renamed.items() if target == name]
            found[name] = chosen or self._positions((*self.preset.fields.get(name, ()), *usual))
            if name in _PROFILE:
                found[name] = [at for at in found[name] if at not in self._unwanted]
            if not choices.status_column:
                continue
            found[name] = [at for at in found[name] if self._names[at] != folded(choices.status_column)]
        found["email"] = found["email"] or self._addresses()
        return found

    def _addresses(self) -> list[int]:
        """The first column that is one of addresses by the words of its name; "address" alone where nobody's home can be meant."""
        free = [at for at in range(self.width) if self._free[at] and at not in self._renamed]
        found = [at for at in free if holds_addresses(self._spaced[at])]
        if not found and not (_PLACES - {"address"}) & set(self._names):
            found = [at for at in free if self._names[at] == "address"]
        return found[:1]

    def _status(self, choices: Choices, where: str) -> list[int]:
        if choices.status_column:
            return self._named(choices.status_column, "--status-column", where)
        chosen = [at for at, target in self._renamed.items() if target == "status"]
        own = chosen or self._positions(self.preset.status if self.preset is not GENERIC else ())
        usual = self._positions(name for name in GENERIC.status if name != "state")
        found = list(dict.fromkeys([*own, *([] if chosen else usual)]))
        if found or _PLACES & set(self._names):
            return found
        return self._positions(["state"])

    def _marks(self) -> tuple[list[tuple[int, Flag]], list[tuple[int, State]]]:
        """The columns of yes and no, and those of leave dates."""
        flags = {
            **{name: flag for name, flag in GENERIC.flags.items() if name not in self.preset.left},
            **self.preset.flags,
        }
        left = {**{name: state for name, state in GENERIC.left.items() if name not in flags}, **self.preset.left}
        # HubSpot, for one, has a column for each kind of mail.
        flags |= {name: bad(State.UNSUBSCRIBED) for name in self._spaced if _REFUSES.match(name) and name not in left}
        if not self.status:
            flags.setdefault("confirmed_at", CONFIRMED)
        taken = set(self.status)
        return (
            [(at, self._of_column(at, flags)) for at in self._positions(flags) if at not in taken],
            [(at, self._of_column(at, left)) for at in self._positions(left) if at not in taken],
        )

    def _of_column(self, at: int, by_name: Mapping[str, _Meaning]) -> _Meaning:
        return by_name[self._names[at] if self._names[at] in by_name else self._spaced[at]]

    def _signs(self) -> list[tuple[int, Sign]]:
        """Of the columns that are nothing else by now."""
        used = self._used()
        return [
            (at, found)
            for at, name in enumerate(self._spaced)
            if self._free[at] and at not in used and at not in self._renamed and self._names[at] not in self.preset.technical
            and not self.preset.exact and (found := sign(name))
        ]  # fmt: skip

    def _used(self) -> set[int]:
        used = {at for found in self.fields.values() for at in found} | set(self.status)
        return used | {at for at, _ in self.flags} | {at for at, _ in self.left}

    def _sort_out_the_rest(self) -> None:
        used = self._used() | {at for at, _ in self.signs}
        self.attributes: list[tuple[int, str]] = []
        #: Columns of the service itself, or dropped.
        self.left_out: list[str] = []
        #: Names that stood there before: the second becomes "name (2)".
        self.doubled: list[str] = []
        seen: dict[str, int] = {}
        for at, heading in enumerate(self.headings):
            if not heading or self._names[at] in REJECTED:
                continue
            name = self._renamed.get(at, heading)
            seen[name] = seen.get(name, 0) + 1
            if seen[name] == 2:
                self.doubled.append(name)
            if at in used:
                continue
            if (
                not self._free[at]
                or at in self._unwanted
                or (at not in self._renamed and self._names[at] in self.preset.technical)
            ):
                self.left_out.append(heading)
            else:
                self.attributes.append((at, name if seen[name] == 1 else f"{name} ({seen[name]})"))
        self.nameless = [at for at, heading in enumerate(self.headings) if not heading]
