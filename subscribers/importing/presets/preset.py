"""What a preset is: how one service names its columns and words. Names of columns are folded, see `folded`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from subscribers.importing.states import State

_APART = re.compile(r"[\W_]+")


def folded(heading: str) -> str:
    """Without case, and with one underscore for whatever stands between words: "E-Mail Address" is `e_mail_address`."""
    return _APART.sub("_", heading.casefold()).strip("_")


@dataclass(frozen=True, kw_only=True)
class Flag:
    """A yes/no column. Where a yes is the good news, an empty cell is none: the reader waits for a confirmation."""

    yes: State
    no: State
    empty: State = State.ACTIVE


#: A yes is needed to be mailed.
WANTED = Flag(yes=State.ACTIVE, no=State.UNSUBSCRIBED, empty=State.PENDING)
CONFIRMED = Flag(yes=State.ACTIVE, no=State.PENDING, empty=State.PENDING)


def bad(state: State) -> Flag:
    """A yes is the bad news."""
    return Flag(yes=state, no=State.ACTIVE)


@dataclass(frozen=True, kw_only=True)
class Preset:
    #: As `--preset` names it.
    name: str
    #: The header is this service's where it has all columns of one of these.
    signatures: tuple[frozenset[str], ...] = ()
    #: Field → the columns it is read from, the best first: the first filled cell counts.
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: Columns with one word for the reader's state.
    status: tuple[str, ...] = ()
    #: Words of those columns, folded.
    words: Mapping[str, State] = field(default_factory=dict)
    #: Yes/no columns.
    flags: Mapping[str, Flag] = field(default_factory=dict)
    #: Columns with the date on which the reader came to a state; a filled cell says that he did.
    left: Mapping[str, State] = field(default_factory=dict)
    #: Columns that only the file of those who left has: no row of it is better than this.
    whole_file: Mapping[str, State] = field(default_factory=dict)
    #: Columns that serve the service itself: left out.
    technical: frozenset[str] = frozenset()
    #: Words for who left the list and is not taken off the publication's others.
    left_list: frozenset[str] = frozenset()
    #: Cells are what was stored, written as `subscribers.interchange` says: nothing is trimmed or tidied.
    exact: bool = False


def columns(*names: str) -> frozenset[str]:
    return frozenset(names)
