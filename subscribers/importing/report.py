"""What an import did."""

from dataclasses import dataclass
from typing import NamedTuple


class Rejection(NamedTuple):
    #: The physical line the row begins on, counted from 1.
    line: int
    reason: str


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
