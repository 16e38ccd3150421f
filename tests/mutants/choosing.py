"""Which of the mutants that Cosmic Ray can make are worth a run of the tests. Pure."""

import ast
import random
import re
from collections.abc import Iterable
from typing import NamedTuple


class Spec(NamedTuple):
    """One mutant: the rows of Cosmic Ray's table `mutation_specs` that name it. Rows count from 1, columns from 0."""

    module: str
    operator: str
    row: int
    column: int
    #: The how-manieth of this operator's in the module.
    occurrence: int
    job: str = ""


#: Row and column of the first character, and of the one after the last.
Span = tuple[tuple[int, int], tuple[int, int]]

#: A dataclass that is not frozen, a cache of another size: nothing that behaves otherwise.
_USELESS = ("core/RemoveDecorator",)
_IDENTITY = re.compile(r"ReplaceComparisonOperator_(?!Is)\w+_Is(Not)?$")


def chosen(specs: Iterable[Spec], sources: dict[str, str], *, sample: int, seed: int) -> list[Spec]:
    """At most `sample` of them (0 = all), by chance; for each place and kind of operator one, and none in an annotation or a decorator.

    `sources`: each module's text. The same seed chooses the same of the same code.
    """
    # Not for secrets: a run must be repeatable.
    dice = random.Random(seed)
    spans = {module: _annotations(text) for module, text in sources.items()}
    sums = {module: _sums(text) for module, text in sources.items()}
    places: dict[tuple[str, str, int, int], list[Spec]] = {}
    for spec in sorted(specs):
        if spec.operator in _USELESS or _is_within(spec, spans[spec.module]):
            continue
        # Whether two equal numbers are one is CPython's affair.
        if _IDENTITY.search(spec.operator):
            continue
        # The star of a signature or a call is no multiplication.
        if "BinaryOperator" in spec.operator and not _is_within(spec, sums[spec.module]):
            continue
        # Eleven replacements of one plus say no more than one does.
        kind = spec.operator.split("_")[0]
        places.setdefault((spec.module, kind, spec.row, spec.column), []).append(spec)
    found = [dice.choice(places[place]) for place in sorted(places)]
    return sorted(dice.sample(found, sample)) if 0 < sample < len(found) else found


def _annotations(text: str) -> list[Span]:
    """Where annotations and decorators begin and end."""
    spans = []
    for node in ast.walk(ast.parse(text)):
        parts = [getattr(node, name, None) for name in ("annotation", "returns")]
        parts += getattr(node, "decorator_list", ())
        spans += [_span(part) for part in parts if isinstance(part, ast.expr)]
    return spans


def _sums(text: str) -> list[Span]:
    found = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.BinOp | ast.AugAssign)]
    return [_span(node) for node in found]


def _span(node: ast.expr | ast.stmt) -> Span:
    return (node.lineno, node.col_offset), (node.end_lineno or node.lineno, node.end_col_offset or node.col_offset)


def _is_within(spec: Spec, spans: list[Span]) -> bool:
    return any(start <= (spec.row, spec.column) < end for start, end in spans)
