"""Which of the mutants that Cosmic Ray can make are worth a run of the tests. Pure."""

import ast
import random
from collections.abc import Iterable
from typing import NamedTuple


class Spec(NamedTuple):
    """One mutant: the rows of Cosmic Ray's table `mutation_specs` that name it. Rows count from 1, columns from 0."""

    job: str
    module: str
    operator: str
    row: int
    column: int


#: A dataclass that is not frozen, a cache of another size: nothing that behaves otherwise.
_USELESS = ("core/RemoveDecorator",)


def chosen(specs: Iterable[Spec], sources: dict[str, str], *, sample: int, seed: int) -> list[Spec]:
    """At most `sample` of them (0 = all), by chance; for each place and kind of operator one, and none in an annotation or a decorator.

    `sources`: each module's text. The same seed chooses the same of the same code.
    """
    # Not for secrets: a run must be repeatable.
    dice = random.Random(seed)
    spans = {module: _annotations(text) for module, text in sources.items()}
    places: dict[tuple[str, str, int, int], list[Spec]] = {}
    for spec in sorted(specs):
        if spec.operator in _USELESS or _is_within(spec, spans[spec.module]):
            continue
        # Eleven replacements of one plus say no more than one does.
        kind = spec.operator.split("_")[0]
        places.setdefault((spec.module, kind, spec.row, spec.column), []).append(spec)
    found = [dice.choice(places[place]) for place in sorted(places)]
    return sorted(dice.sample(found, sample)) if 0 < sample < len(found) else found


def _annotations(text: str) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Where annotations and decorators begin and end."""
    spans = []
    for node in ast.walk(ast.parse(text)):
        parts = [getattr(node, name, None) for name in ("annotation", "returns")]
        for part in (*parts, *getattr(node, "decorator_list", ())):
            if isinstance(part, ast.expr):
                end = (part.end_lineno or part.lineno, part.end_col_offset or part.col_offset)
                spans.append(((part.lineno, part.col_offset), end))
    return spans


def _is_within(spec: Spec, spans: list[tuple[tuple[int, int], tuple[int, int]]]) -> bool:
    return any(start <= (spec.row, spec.column) < end for start, end in spans)
