"""How the rows of a file are to be taken."""

import enum
from dataclasses import dataclass


class Mode(enum.StrEnum):
    """What becomes of those who are known here, and of those who are not in the file."""

    #: Their profile stays as it is.
    ADD = "add"
    #: Filled cells replace, tags are added.
    UPDATE = "update"
    #: As update, but the tags are those of the file.
    REPLACE_TAGS = "replace-tags"
    #: The file is the whole truth: an empty cell takes a value away, and who is not in it leaves the list.
    MIRROR = "mirror"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How the rows are to be taken, and which columns the file has."""

    mode: Mode = Mode.UPDATE
    fields: frozenset[str] = frozenset()
    #: Names of attributes that a column stands for.
    attributes: tuple[str, ...] = ()
    #: A column holds whole JSON objects: all attributes are in the file.
    whole: bool = False
    #: Rows that could not be read: in them may be anybody.
    refused: int = 0
