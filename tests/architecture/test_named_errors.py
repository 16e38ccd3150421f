"""What a docstring says is raised exists under that name."""

import ast
import builtins
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("composer", "newsdesk", "sandbox", "subscribers", "tasks", "web")

#: "Raises X", "raises X and Y", "Raises X (why), Y or Z". A name with a dot is another library's.
_RAISED = re.compile(
    r"\b[Rr]aises? (?P<names>[A-Z]\w+\b(?!\.\w)(?:(?: \([^)]*\))?(?:, and |, or |, | and | or )[A-Z]\w+\b(?!\.\w))*)"
)
_NAME = re.compile(r"\b[A-Z]\w+")


def trees() -> Iterator[tuple[Path, ast.Module]]:
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            yield file.relative_to(ROOT), ast.parse(file.read_text(encoding="utf-8"))


def names_in(tree: ast.Module) -> Iterator[str]:
    """Classes that it makes or imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.ImportFrom):
            yield from (alias.name for alias in node.names)


def raised_in(tree: ast.Module) -> Iterator[str]:
    """By what its docstrings say."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            for sentence in _RAISED.finditer(ast.get_docstring(node) or ""):
                yield from _NAME.findall(re.sub(r"\([^)]*\)", "", sentence["names"]))


def test_every_error_that_a_docstring_names_exists() -> None:
    parsed = list(trees())
    known = {name for _, tree in parsed for name in names_in(tree)} | set(dir(builtins))
    named = [(file, name) for file, tree in parsed for name in raised_in(tree)]

    assert len(named) > 100
    assert {f"{file}: {name}" for file, name in named if name not in known} == set()
