"""A rule made smaller without changing what it means: comparisons of one field in one group become one comparison.

An editor's "any of these two hundred cities" is then one look into a table instead of two hundred comparisons for each reader.
"""

from collections.abc import Iterable, Sequence

from subscribers.segments.rule import COMPLEMENTS, LIKENESS, ORDER, All, AnyOf, Leaf, Not, Rule

#: Operators that stand for themselves with one value, by the one that takes several.
_SEVERAL = {"eq": "in", "ne": "not_in"}
#: In "any of", such a comparison with one list holds where one of several with a part of it does; in "all of" likewise.
_JOIN_IN_ANY = ("in", "has_any", "contains", "starts_with", "ends_with")
_JOIN_IN_ALL = ("not_in", "has_none", "has_all")
#: Longer expressions than this are left apart: an automaton must be built for them.
_MOST_CHARACTERS = 4000


def folded(rule: Rule) -> Rule:
    """The same rule with fewer comparisons; ``contains``, ``starts_with`` and ``ends_with`` may come with several values."""
    if isinstance(rule, Not):
        return Not(folded(rule.rule))
    if isinstance(rule, All):
        return _group(All, _flat(All, rule.rules), _JOIN_IN_ALL)
    if isinstance(rule, AnyOf):
        return _group(AnyOf, _flat(AnyOf, rule.rules), _JOIN_IN_ANY)
    return rule


def opposite(leaf: Leaf) -> Leaf | None:
    """The comparison that is true exactly where this one is false, for an operator that is defined as that; else None."""
    if leaf.op not in COMPLEMENTS:
        return None
    return Leaf(field=leaf.field, op=COMPLEMENTS[leaf.op], value=leaf.value, exact=leaf.exact)


def _flat(kind: type[All] | type[AnyOf], rules: Sequence[Rule]) -> Iterable[Rule]:
    for rule in rules:
        if isinstance(rule, kind):
            yield from _flat(kind, rule.rules)
        else:
            yield folded(rule)


def _group(kind: type[All] | type[AnyOf], rules: Iterable[Rule], joined: Sequence[str]) -> Rule:
    kept: list[Rule] = []
    places: dict[tuple[str, str, bool], int] = {}
    for rule in rules:
        if not isinstance(rule, Leaf):
            kept.append(rule)
            continue
        leaf = _with_list(rule, joined)
        place = (leaf.field, leaf.op, leaf.exact)
        together = _together(kind, kept[places[place]], leaf, joined) if place in places else None
        if together is None:
            places[place] = len(kept)
            kept.append(leaf)
        else:
            kept[places[place]] = together
    return kept[0] if len(kept) == 1 else kind(tuple(kept))


def _together(kind: type[All] | type[AnyOf], first: Rule, second: Leaf, joined: Sequence[str]) -> Leaf | None:
    """Both comparisons as one; None where they stay apart."""
    assert isinstance(first, Leaf)
    if second.op in ORDER:
        return _bound(kind, first, second)
    return _joined(first, second) if second.op in joined else None


def _bound(kind: type[All] | type[AnyOf], first: Leaf, second: Leaf) -> Leaf | None:
    """The comparison of two numbers with the same sign that decides: in "any of" the weaker, in "all of" the stronger."""
    one, other = first.value, second.value
    if not (isinstance(one, int | float) and isinstance(other, int | float)):
        return None
    smaller = (first.op in {"gt", "gte"}) is (kind is AnyOf)
    return Leaf(field=first.field, op=first.op, value=min(one, other) if smaller else max(one, other))


def _with_list(leaf: Leaf, joined: Sequence[str]) -> Leaf:
    """`eq` and `ne` as the operators that take a list, where lists are joined."""
    several = _SEVERAL.get(leaf.op, "")
    if several in joined:
        return Leaf(field=leaf.field, op=several, value=leaf.values, exact=leaf.exact)
    return leaf


def _joined(first: Leaf, second: Leaf) -> Leaf | None:
    """One comparison with the values of both; None where that would be too long."""
    values = dict.fromkeys((type(value), value) for value in (*first.values, *second.values))
    if second.op in LIKENESS and sum(len(str(value)) for _, value in values) > _MOST_CHARACTERS:
        return None
    return Leaf(field=second.field, op=second.op, value=tuple(value for _, value in values), exact=second.exact)
