"""A rule to one SQL condition over the alias ``s`` (subscribers_subscriber).

Every condition is true or false, never NULL: each comparison that could be unknown is wrapped in COALESCE.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from subscribers.segments import comparing
from subscribers.segments.engagement import engagement
from subscribers.segments.folding import folded, opposite
from subscribers.segments.readings import Readings
from subscribers.segments.rule import (
    ACTS,
    ATTRIBUTE_PREFIX,
    CLICKED_ON,
    COMPLEMENTS,
    All,
    AnyOf,
    Leaf,
    Not,
    Rule,
    RuleError,
)
from subscribers.segments.values import day_bounds
from subscribers.sql import SqlCondition, join

TRUE = SqlCondition("TRUE")
#: Looking for a key of many at once costs about what looking for a few one by one does.
MANY_KEYS = 8
#: With a whole day, "after" begins where the day ends and "on or before" ends there.
_DAY_SIGNS = {"before": "<", "after": ">=", "on_or_before": "<", "on_or_after": ">="}
_INSTANT_SIGNS = {"before": "<", "after": ">", "on_or_before": "<=", "on_or_after": ">="}
_ON_LISTS = "SELECT 1 FROM subscribers_subscription n WHERE n.subscriber_id = s.id"
#: Of all the publication's lists, whichever the rule is asked of. The lists are found first: the planner then makes one set of readers of
#: it, or looks each reader up.
_ON_LIST = f"""EXISTS ({_ON_LISTS} AND n.status = 'active' AND n.list_id = ANY(ARRAY(
    SELECT l.id FROM subscribers_list l WHERE l.publication_id = %s{{named}})))"""  # noqa: S608 - made of constants


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What a rule is asked about: a publication, and those of its lists whose subscriptions count."""

    publication_id: int
    list_ids: Sequence[int]


def condition(rule: Rule, scope: Scope) -> SqlCondition:
    """One boolean SQL expression, fully parameterised."""
    small = folded(rule)
    first = Readings()
    compiled = _Compiler(scope, first).rule(small)
    often = first.often()
    if not often:
        return compiled
    once = Readings(often)
    return once.around(_Compiler(scope, once).rule(small))


@dataclass(frozen=True)
class _Compiler:
    scope: Scope
    readings: Readings

    def rule(self, rule: Rule) -> SqlCondition:
        if isinstance(rule, All):
            return self._group(" AND ", rule.rules) if rule.rules else TRUE
        if isinstance(rule, AnyOf):
            return _if_any_key(rule, self._group(" OR ", rule.rules))
        if isinstance(rule, Not):
            return _not(self.rule(rule.rule))
        assert isinstance(rule, Leaf)
        other = opposite(rule)
        return _not(self._leaf(other)) if other else self._leaf(rule)

    def _group(self, word: str, rules: Sequence[Rule]) -> SqlCondition:
        return _parens(join(word, (self.rule(child) for child in rules)))

    def _leaf(self, leaf: Leaf) -> SqlCondition:
        if leaf.field.startswith(ATTRIBUTE_PREFIX):
            return _known(comparing.attribute(leaf, self.readings))
        if leaf.field in (*ACTS, *CLICKED_ON, "clicked_link"):
            return engagement(leaf, self.scope.publication_id)
        if leaf.field == "segment":
            raise RuleError("field", "a rule that names segments is compiled with their rules; see `expanded`.")
        compile_field: Callable[[Leaf], SqlCondition] = {
            "tags": self._tags,
            "lists": self._lists,
            "status": self._status,
            "tracking": lambda said: SqlCondition("s.tracking = ANY(%s::text[])", (list(said.values),)),
            "subscribed_at": self._subscribed,
            "created_at": lambda created: _dates(created, "s.created_at"),
            "signup_source": self._signup_source,
        }.get(leaf.field, lambda text: comparing.text_field(text, self.readings))
        return compile_field(leaf)

    def _tags(self, leaf: Leaf) -> SqlCondition:
        if leaf.op == "exists":
            return SqlCondition("cardinality(s.tags) > 0")
        sign = "&&" if leaf.op == "has_any" else "@>"
        return SqlCondition(f"s.tags {sign} %s::varchar[]", (_texts(leaf),))

    def _lists(self, leaf: Leaf) -> SqlCondition:
        publication = self.scope.publication_id
        if leaf.op == "exists":
            return SqlCondition(_ON_LIST.format(named=""), (publication,))
        named = _ON_LIST.format(named=" AND l.slug = ANY(%s::text[])")
        # On any of them is one question, on all of them one for each.
        asked = [_texts(leaf)] if leaf.op == "has_any" else [[slug] for slug in _texts(leaf)]
        return _parens(join(" AND ", (SqlCondition(named, (publication, slugs)) for slugs in asked)))

    def _status(self, leaf: Leaf) -> SqlCondition:
        return self._on_lists(SqlCondition("n.status = ANY(%s::text[])", (list(leaf.values),)))

    def _subscribed(self, leaf: Leaf) -> SqlCondition:
        return self._on_lists(_dates(leaf, "n.subscribed_at"))

    def _on_lists(self, test: SqlCondition) -> SqlCondition:
        lists = SqlCondition(" AND n.list_id = ANY(%s::bigint[]))", (list(self.scope.list_ids),))
        return join("", [SqlCondition(f"EXISTS ({_ON_LISTS} AND "), _parens(test), lists])

    def _signup_source(self, leaf: Leaf) -> SqlCondition:
        head = SqlCondition(
            "EXISTS (SELECT 1 FROM subscribers_consent c WHERE c.subscriber_id = s.id AND c.kind = 'given' "
            "AND c.list_id = ANY(%s::bigint[]) AND ",
            (list(self.scope.list_ids),),
        )
        return join("", [head, comparing.text(leaf, "c.source"), SqlCondition(")")])


def _if_any_key(rule: AnyOf, test: SqlCondition) -> SqlCondition:
    """The test of an "any of" many attributes, asked only of readers who have one of them: most have few."""
    attributes = [child for child in rule.rules if isinstance(child, Leaf) and _needs_key(child)]
    keys = {child.key for child in attributes}
    if len(keys) < MANY_KEYS or len(attributes) < len(rule.rules):
        return test
    head = SqlCondition("(jsonb_exists_any(s.attributes, %s::text[]) AND ", (sorted(keys),))
    return join("", [head, test, SqlCondition(")")])


def _needs_key(leaf: Leaf) -> bool:
    """Whether the comparison is false of everybody without the attribute."""
    return leaf.field.startswith(ATTRIBUTE_PREFIX) and leaf.op not in COMPLEMENTS


def _dates(leaf: Leaf, column: str) -> SqlCondition:
    if leaf.op == "within_days":
        return SqlCondition(f"{column} > now() - make_interval(hours => %s)", (24 * _integer(leaf),))
    if leaf.op == "between":
        first, last = (datetime.fromisoformat(text).date() for text in _texts(leaf))
        bounds = (day_bounds(first, "on_or_after"), day_bounds(last, "on_or_before"))
        return SqlCondition(f"({column} >= %s::timestamptz AND {column} < %s::timestamptz)", bounds)
    if isinstance(leaf.value, datetime):
        return SqlCondition(f"{column} {_INSTANT_SIGNS[leaf.op]} %s::timestamptz", (leaf.value,))
    instant = day_bounds(leaf.value, leaf.op)  # type: ignore[arg-type]  # parsed as a date
    return SqlCondition(f"{column} {_DAY_SIGNS[leaf.op]} %s::timestamptz", (instant,))


def _not(inner: SqlCondition) -> SqlCondition:
    return SqlCondition(f"NOT {_parens(inner).sql}", inner.params)


def _parens(inner: SqlCondition) -> SqlCondition:
    return SqlCondition(f"({inner.sql})", inner.params)


def _known(inner: SqlCondition) -> SqlCondition:
    return SqlCondition(f"COALESCE({inner.sql}, FALSE)", inner.params)


def _texts(leaf: Leaf) -> list[str]:
    assert isinstance(leaf.value, tuple)
    return [str(value) for value in leaf.value]


def _integer(leaf: Leaf) -> int:
    assert isinstance(leaf.value, int)
    return leaf.value
