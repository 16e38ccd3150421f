"""JSON to a rule; every error names the path of what is wrong, such as ``all[1].any[0].op``."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from subscribers.segments.rule import (
    ATTRIBUTE_PREFIX,
    BARE,
    EQUALITY,
    FIELDS,
    LIKENESS,
    MAX_DEPTH,
    MAX_LEAVES,
    TEXT_FIELDS,
    TEXTS_ELSEWHERE,
    All,
    AnyOf,
    Leaf,
    Not,
    Rule,
    RuleError,
    ops_of,
)
from subscribers.segments.values import checked_text, parse_value

GROUPS = ("all", "any", "not")
LEAF_KEYS = ("field", "op", "value", "exact")
#: The path of the whole rule.
ROOT = "rule"


def parse(rule: object) -> Rule:
    """The rule that decoded JSON describes. Raises RuleError, whose path names the place."""
    return _Parser().node(rule, "", depth=0)


@dataclass
class _Parser:
    leaves: int = field(default=0)

    def node(self, node: object, path: str, *, depth: int) -> Rule:
        if not isinstance(node, Mapping):
            raise RuleError(
                path or ROOT, f"{_kind(node)} is not a rule; write an object with {_words(GROUPS)} or field."
            )
        groups = [key for key in GROUPS if key in node]
        if not groups:
            return self.leaf(node, path)
        if len(node) > 1:
            extra = next(str(key) for key in node if key != groups[0])
            raise RuleError(path or ROOT, f"{groups[0]!r} stands alone in its object; {extra!r} cannot be beside it.")
        return self.group(groups[0], node[groups[0]], _join(path, groups[0]), depth=depth + 1)

    def group(self, name: str, content: object, path: str, *, depth: int) -> Rule:
        if depth > MAX_DEPTH:
            raise RuleError(path, f"nested deeper than {MAX_DEPTH} levels.")
        if name == "not":
            return Not(self.node(content, path, depth=depth))
        if not isinstance(content, Sequence) or isinstance(content, str):
            raise RuleError(path, f"{_kind(content)} is not a list of rules.")
        if name == "any" and not content:
            raise RuleError(path, "an empty list matches nobody; write at least one rule.")
        rules = tuple(self.node(child, f"{path}[{index}]", depth=depth) for index, child in enumerate(content))
        return All(rules) if name == "all" else AnyOf(rules)

    def leaf(self, node: Mapping[object, object], path: str) -> Leaf:
        self.leaves += 1
        if self.leaves > MAX_LEAVES:
            raise RuleError(path or ROOT, f"more than {MAX_LEAVES} comparisons in one rule.")
        _check_keys(node, path)
        name = _field(node["field"], _join(path, "field"))
        op = _op(node["op"], name, _join(path, "op"))
        value_path = _join(path, "value")
        exact = "exact" in node and _exact(node["exact"], name, op, _join(path, "exact"))
        if op in BARE:
            if "value" in node:
                raise RuleError(value_path, f"{op} takes no value.")
            return Leaf(field=name, op=op)
        if "value" not in node:
            raise RuleError(path or ROOT, f"{op} needs a value.")
        return Leaf(field=name, op=op, value=parse_value(node["value"], name, op, value_path), exact=exact)


def _check_keys(node: Mapping[object, object], path: str) -> None:
    for key in node:
        if key not in LEAF_KEYS:
            known = (*LEAF_KEYS, *GROUPS)
            raise RuleError(
                _join(path, str(key)), f"unknown key; known are {_words(known)}.{_suggest(str(key), known)}"
            )
    for key in ("field", "op"):
        if key not in node:
            raise RuleError(path or ROOT, f"{key!r} is missing.")


def _field(name: object, path: str) -> str:
    if not isinstance(name, str):
        raise RuleError(path, f"{_kind(name)} is not the name of a field.")
    if name.startswith(ATTRIBUTE_PREFIX):
        key = name.removeprefix(ATTRIBUTE_PREFIX)
        if not key:
            raise RuleError(path, "write the attribute's name after the dot, such as attributes.country.")
        checked_text(key, path)
        return name
    if name not in FIELDS:
        known = (*FIELDS, "attributes.<key>")
        raise RuleError(path, f"{name!r} is not one of: {', '.join(known)}.{_suggest(name, FIELDS)}")
    return name


def _op(op: object, name: str, path: str) -> str:
    known = ops_of(name)
    if not isinstance(op, str):
        raise RuleError(path, f"{_kind(op)} is not one of: {', '.join(known)}.")
    if op not in known:
        raise RuleError(path, f"{op!r} is not one of: {', '.join(known)}.{_suggest(op, known)}")
    return op


def _exact(exact: object, name: str, op: str, path: str) -> bool:
    if not isinstance(exact, bool):
        raise RuleError(path, f"{_kind(exact)} is not true or false.")
    text = name.startswith(ATTRIBUTE_PREFIX) or name in TEXT_FIELDS or name in TEXTS_ELSEWHERE
    if not text or op not in (*EQUALITY, *LIKENESS):
        raise RuleError(path, f"{name} {op} compares no text; leave it out.")
    return exact


def _suggest(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.6)
    return f" Did you mean {close[0]!r}?" if close else ""


def _kind(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, Mapping):
        return "an object"
    return "a list" if isinstance(value, Sequence) and not isinstance(value, str) else repr(value)


def _words(names: Sequence[str]) -> str:
    return ", ".join(names)


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
