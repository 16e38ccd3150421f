"""Where a condition finds a reader's texts: in place, or read once for each reader where a rule asks often.

Finding a key in an attribute document and folding its case costs far more than the comparison; a rule of two hundred comparisons
would do it two hundred times for each of a million readers.
"""

from collections import Counter
from collections.abc import Collection
from enum import StrEnum

from subscribers.segments.rule import ATTRIBUTE_PREFIX
from subscribers.sql import SqlCondition, join


class As(StrEnum):
    """What a field is read as; NULL where it cannot be."""

    #: As it is written; lists and objects are no text.
    TEXT = "text"
    #: The text in lower case.
    FOLDED = "folded"
    NUMBER = "number"
    #: The day that the text begins with, as ISO 8601 writes it.
    DAY = "day"
    #: Whatever it is, as text.
    ANYTHING = "anything"
    #: The texts of a list, in lower case, and as they are.
    FOLDED_ITEMS = "folded_items"
    ITEMS = "items"


Reading = tuple[str, As]

_NUMBER = r"CASE WHEN {text} ~ '^[+-]?[0-9]+(?:\.[0-9]+)?$' AND length({text}) <= 200 THEN {text}::numeric END"
_DAY = """CASE WHEN {text} ~ '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}($|[T ])' THEN left({text}, 10) COLLATE "C" END"""
_ITEMS = """CASE WHEN jsonb_typeof(s.attributes -> %s::text) = 'array' THEN ARRAY(
    SELECT {item} FROM jsonb_array_elements(s.attributes -> %s::text) AS item WHERE jsonb_typeof(item) = 'string') END"""
_SCALAR = (
    """CASE WHEN jsonb_typeof(s.attributes -> %s::text) NOT IN ('object', 'array') THEN s.attributes ->> %s::text END"""
)
_BY_TEXT = {As.TEXT: "{text}", As.FOLDED: "lower({text})", As.NUMBER: _NUMBER, As.DAY: _DAY}
#: From how many times on it pays to read something once.
OFTEN = 3


class Readings:
    """How one condition reads; `once` are the readings that are columns of `source`."""

    def __init__(self, once: Collection[Reading] = ()) -> None:
        self.used: Counter[Reading] = Counter()
        self._columns = {reading: f"c{number}" for number, reading in enumerate(once)}

    def often(self) -> list[Reading]:
        return [reading for reading, times in self.used.items() if times >= OFTEN]

    def read(self, field: str, kind: As) -> SqlCondition:
        """An SQL expression for the field of the reader ``s``."""
        self.used[field, kind] += 1
        column = self._columns.get((field, kind))
        return SqlCondition(f"once.{column}") if column else _in_place(field, kind)

    def around(self, condition: SqlCondition) -> SqlCondition:
        """The condition, with what it reads once beside it."""
        if not self._columns:
            return condition
        columns = join(
            ", ",
            (
                join("", (_in_place(*reading), SqlCondition(f" AS {column}")))
                for reading, column in self._columns.items()
            ),
        )
        # Without OFFSET the planner would put each expression back into every place that names its column.
        return join(
            "",
            (
                SqlCondition("(SELECT "),
                condition,
                SqlCondition(" FROM (SELECT "),
                columns,
                SqlCondition(" OFFSET 0) AS once)"),
            ),
        )


def _in_place(field: str, kind: As) -> SqlCondition:
    if not field.startswith(ATTRIBUTE_PREFIX):
        return SqlCondition(_BY_TEXT[kind].format(text=f"s.{field}"))
    key = field.removeprefix(ATTRIBUTE_PREFIX)
    if kind is As.ANYTHING:
        return SqlCondition("(s.attributes ->> %s::text)", (key,))
    if kind in {As.ITEMS, As.FOLDED_ITEMS}:
        item = "item #>> '{}'"
        return SqlCondition(_ITEMS.format(item=f"lower({item})" if kind is As.FOLDED_ITEMS else item), (key, key))
    text = f"({_SCALAR})"
    sql = _BY_TEXT[kind].format(text=text)
    return SqlCondition(sql, (key,) * sql.count("%s"))
