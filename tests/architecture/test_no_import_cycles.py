"""Imports never go round in circles, neither between the files of a package nor between its rooms.

`make imports` draws the same picture. What may import what is import-linter's to say (pyproject.toml); this is about cycles,
and about imports that hide inside functions.
"""

import io
import re
import tokenize
from pathlib import Path
from typing import Any

import pytest

from tests.architecture.reader import ROOT, import_map

PACKAGES = ("composer", "newsdesk", "sandbox", "subscribers", "tasks", "web")
#: Wagtail's own: a page's model names its blocks, panels and preview, which name the model. No other file joins this knot.
KNOWN_KNOT = {
    "composer.blocks",
    "composer.conversion",
    "composer.locking",
    "composer.models",
    "composer.models.edition",
    "composer.models.story",
    "composer.story_copying",
    "composer.placements",
    "composer.previewing",
}
#: What a linter is told does not tell a reader why.
_ORDER_TO_A_TOOL = re.compile(r"#\s*(noqa(:\s*[A-Z]+[0-9]+(,\s*[A-Z]+[0-9]+)*)?|type:\s*ignore(\[[^]]*\])?)\s*")


@pytest.fixture(scope="module")
def known() -> dict[str, Path]:
    found: dict[str, Path] = import_map.modules(ROOT)
    return found


@pytest.fixture(scope="module")
def imports() -> list[Any]:
    found: list[Any] = import_map.imports(ROOT)
    return found


def within(imports: list[Any], package: str) -> list[Any]:
    return [one for one in imports if {one.importer.split(".")[0], one.imported.split(".")[0]} == {package}]


def told(knots: list[tuple[str, ...]], imports: list[Any], *, by_room: dict[str, str]) -> str:
    """Every import that is part of a knot, by file and line."""
    return "\n".join(
        f"{one.path}:{one.line} {by_room[one.importer]} -> {by_room[one.imported]} ({one.imported})"
        for knot in knots
        for one in imports
        if by_room[one.importer] != by_room[one.imported] and {by_room[one.importer], by_room[one.imported]} <= {*knot}
    )


def test_the_packages_are_those_of_the_layer_contract() -> None:
    assert sorted(import_map.packages(ROOT)) == sorted(PACKAGES)


@pytest.mark.parametrize("package", PACKAGES)
def test_no_cycle_between_files(imports: list[Any], known: dict[str, Path], package: str) -> None:
    own = within(imports, package)
    knots = import_map.cycles(import_map.graph((one.importer, one.imported) for one in own))

    new = [knot for knot in knots if not KNOWN_KNOT.issuperset(knot)]
    assert not new, told(new, own, by_room={name: name for name in known})


@pytest.mark.parametrize("package", PACKAGES)
def test_no_cycle_between_rooms(imports: list[Any], known: dict[str, Path], package: str) -> None:
    own = within(imports, package)
    rooms = {name: import_map.room_of(name, known) for name in known}
    knots = import_map.cycles(import_map.graph((rooms[one.importer], rooms[one.imported]) for one in own))

    allowed = {rooms[name] for name in KNOWN_KNOT if name in known}
    new = [knot for knot in knots if not allowed.issuperset(knot)]
    assert not new, told(new, own, by_room=rooms)


def test_the_known_knot_names_no_file_that_is_out_of_it(imports: list[Any]) -> None:
    knots = import_map.cycles(import_map.graph((one.importer, one.imported) for one in imports))

    assert KNOWN_KNOT - {name for knot in knots for name in knot} == set()


def test_the_queue_imports_nothing_of_ours(imports: list[Any]) -> None:
    """Whoever enqueues must not load what will do the work."""
    queue = [one for one in imports if one.importer in {"tasks.queue", "tasks.broker_connection"}]
    assert {one.imported.partition(".broker_connection")[0] for one in queue} <= {"tasks"}


def test_an_import_inside_a_function_says_why(imports: list[Any]) -> None:
    """On its line or above it; one reason serves for a run of imports. Commands import late so that --help is quick."""
    unexplained = []
    for path in sorted({one.path for one in imports if one.in_function}):
        if path.is_relative_to("newsdesk/management"):
            continue
        lines = {one.line for one in imports if one.path == path and one.in_function}
        unexplained += [f"{path}:{line}" for line in without_a_reason((ROOT / path).read_text(encoding="utf-8"), lines)]
    assert unexplained == []


def without_a_reason(source: str, lines: set[int]) -> list[int]:
    """Those of some imports' lines that have no comment of their own, nor one above them."""
    comments = {
        token.start[0]
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT and _ORDER_TO_A_TOOL.sub("", token.string).strip(" #-:")
    }
    explained: set[int] = set()
    for line in sorted(lines):
        if {line, line - 1} & comments or line - 1 in explained:
            explained.add(line)
    return sorted(lines - explained)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f():\n    import tasks\n", [2]),
        ("def f():\n    import tasks  # noqa: PLC0415\n", [2]),
        ("def f():\n    import tasks  # noqa: PLC0415 - Celery must be configured first\n", []),
        ("def f():\n    # Celery must be configured first.\n    import tasks\n    import web\n", []),
        ("def f():\n    # Celery must be configured first.\n    import tasks\n    f()\n    import web\n", [5]),
    ],
)
def test_a_reason_is_more_than_an_order_to_a_linter(source: str, expected: list[int]) -> None:
    lines = {number for number, line in enumerate(source.splitlines(), start=1) if "import" in line.split("#")[0]}
    assert without_a_reason(source, lines) == expected
