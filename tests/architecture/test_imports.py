"""No circle of imports comes back. That late imports say why is ruff's rule PLC0415."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
#: Wagtail demands that a model names its blocks, preview and lock, and those know the model.
WAGTAILS_KNOT = {
    "composer.blocks",
    "composer.conversion",
    "composer.models",
    "composer.models.edition",
    "composer.models.story",
    "composer.picking",
    "composer.previewing",
}


def _import_map() -> ModuleType:
    spec = importlib.util.spec_from_file_location("import_map", ROOT / "packaging" / "import_map.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def graph() -> dict[str, set[str]]:
    found: dict[str, set[str]] = import_map.imports(import_map.modules(ROOT))
    return found


import_map = _import_map()


def test_no_files_import_each_other(graph: dict[str, set[str]]) -> None:
    assert [set(ring) for ring in import_map.cycles(graph)] == [WAGTAILS_KNOT]


def test_no_rooms_import_each_other(graph: dict[str, set[str]]) -> None:
    rings = import_map.cycles(import_map.rooms(graph))

    assert [ring for ring in rings if not all(room.startswith("composer.") for room in ring)] == []


def test_a_circle_is_found() -> None:
    assert import_map.cycles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]


def test_the_queue_imports_nothing_of_ours(graph: dict[str, set[str]]) -> None:
    assert graph["tasks.queue"] == set()
