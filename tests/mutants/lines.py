"""Which lines a test runs, and which lines are those of a mutant."""

import ast
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

#: A module, as it is loaded, and a row.
Line = tuple[str, int]


@contextmanager
def ran(files: frozenset[str]) -> Iterator[set[Line]]:
    """Fills the set with the lines of those files that run meanwhile in this process."""
    lines: set[Line] = set()

    def note(frame: FrameType, event: str, arg: Any) -> Any:
        lines.add((frame.f_code.co_filename, frame.f_lineno))
        return note

    def enter(frame: FrameType, event: str, arg: Any) -> Any:
        return note(frame, event, arg) if frame.f_code.co_filename in files else None

    threading.settrace(enter)
    sys.settrace(enter)
    try:
        yield lines
    finally:
        sys.settrace(None)
        threading.settrace(None)


def rows(text: str, row: int) -> range:
    """The rows of the statement that has this row; of a compound one, those of its head."""
    found = range(row, row + 1)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.stmt) and node.lineno <= row <= _end(node):
            # The walk goes inwards: the last that has it is the innermost.
            found = range(node.lineno, _end(node) + 1)
    return found


def _end(node: ast.stmt) -> int:
    body = getattr(node, "body", None)
    return max(body[0].lineno - 1, node.lineno) if body else node.end_lineno or node.lineno
