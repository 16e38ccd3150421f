"""What an import did."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class Rejection(NamedTuple):
    #: The physical line the row begins on, counted from 1.
    line: int
    reason: str


class Warned(NamedTuple):
    line: int
    message: str


@dataclass(frozen=True, kw_only=True)
class ImportReport:
    """How many rows had which end; rows = created + updated + unchanged + the rejected."""

    rows: int
    #: New subscribers.
    created: int
    #: Known subscribers whose details changed, or who are new on the list.
    updated: int
    unchanged: int
    #: In the order of their lines.
    rejected: tuple[Rejection, ...]
    preset: str = ""
    encoding: str = ""
    #: What the rows that were taken say of their readers; every word of `State` is a key.
    statuses: Mapping[str, int] = field(default_factory=dict)
    #: Columns that no field is read from: they became attributes.
    unknown_columns: tuple[str, ...] = ()
    #: Columns that serve the other service only, and those dropped.
    left_out: tuple[str, ...] = ()
    warnings: tuple[Warned, ...] = ()
    #: Who had left and agreed again later, as the file says.
    brought_back: int = 0
    #: Who was not in the file and is off the list, of a mirror.
    left: int = 0

    @property
    def taken(self) -> int:
        return self.created + self.updated + self.unchanged
