"""Rules that name other segments: each name is replaced by that segment's rule before a rule is used or copied.

So whatever keeps a copy of a rule (a scheduled send, an approval) keeps what the named segments said at that time.
"""

from collections.abc import Callable, Mapping, Sequence

from subscribers.segments.parsing import parse
from subscribers.segments.rule import MAX_LEAVES, RuleError

#: The rule (JSON) of a slug; None where there is no such segment.
Lookup = Callable[[str], object | None]


def expanded(rule: object, lookup: Lookup, *, known: Sequence[str] = (), of: str = "") -> object:
    """The rule with every ``segment`` comparison replaced by the rules it names.

    `rule` is JSON that `parse` takes; `of` is its own segment's slug, which it may not come back to.

    Raises RuleError where a name is unknown, where segments name each other in a circle, or where the whole has more
    than `MAX_LEAVES` comparisons.
    """
    parse(rule)
    return _Expansion(lookup, known).node(rule, "", (of,) if of else ())


class _Expansion:
    def __init__(self, lookup: Lookup, known: Sequence[str]) -> None:
        self._lookup = lookup
        self._known = known
        self._leaves = 0

    def node(self, node: object, path: str, within: tuple[str, ...]) -> object:
        assert isinstance(node, Mapping)
        for group in ("all", "any"):
            if group in node:
                children = enumerate(node[group])
                return {group: [self.node(child, f"{_dot(path)}{group}[{at}]", within) for at, child in children]}
        if "not" in node:
            return {"not": self.node(node["not"], f"{_dot(path)}not", within)}
        if node["field"] != "segment":
            self._leaves += 1
            if self._leaves > MAX_LEAVES:
                raise RuleError(path, f"more than {MAX_LEAVES} comparisons with those of the named segments.")
            return dict(node)
        named = {
            "any": [self._segment(slug, f"{_dot(path)}value[{at}]", within) for at, slug in enumerate(node["value"])]
        }
        return {"not": named} if node["op"] == "not_in" else named

    def _segment(self, slug: str, path: str, within: tuple[str, ...]) -> object:
        if slug in within:
            circle = " → ".join((*within[within.index(slug) :], slug))
            raise RuleError(path, f"the segments name each other in a circle: {circle}.")
        rule = self._lookup(slug)
        if rule is None:
            known = ", ".join(sorted(self._known)) or "none"
            raise RuleError(path, f"{slug!r} is no segment of this publication; it has: {known}.")
        parse(rule)
        return self.node(rule, path, (*within, slug))


def _dot(path: str) -> str:
    return f"{path}." if path else ""
