"""The reader of imports, over small checkouts of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.reader import ROOT, import_map


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Two packages: in `desk` three files and a folder import each other, one of them late; `list` is straight."""
    files = {
        "pyproject.toml": '[tool.importlinter]\nroot_packages = ["desk", "list"]\n',
        "desk/__init__.py": "",
        "desk/first.py": "import json\nfrom desk import second\n",
        "desk/second.py": "def late():\n    from .room.inner import thing\n",
        "desk/room/__init__.py": '"""A room."""\n',
        "desk/room/inner.py": "import desk.first\nfrom desk.room.other import thing\n",
        "desk/room/other.py": (
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from list import model\nelse:\n    import list\n"
        ),
        "desk/migrations/0001_initial.py": "import desk.first\n",
        "list/__init__.py": "",
        "list/model.py": "from . import rules\nfrom .rules import rule\n",
        "list/rules.py": "",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_every_import_is_found_with_where_it_stands(checkout: Path) -> None:
    found = {
        (one.importer, one.imported, one.line, one.in_function, one.for_types) for one in import_map.imports(checkout)
    }
    assert found == {
        ("desk.first", "desk.second", 2, False, False),
        ("desk.second", "desk.room.inner", 2, True, False),
        ("desk.room.inner", "desk.first", 1, False, False),
        ("desk.room.inner", "desk.room.other", 2, False, False),
        ("desk.room.other", "list.model", 3, False, True),
        ("desk.room.other", "list", 5, False, False),
        ("list.model", "list.rules", 1, False, False),
        ("list.model", "list.rules", 2, False, False),
    }


def test_an_import_inside_a_function_does_not_end_a_cycle(checkout: Path) -> None:
    text = import_map.report(checkout)

    assert "Cycles of files: 1; the largest has 3\n  3: desk.first, desk.room.inner, desk.second\n" in text
    assert "Cycles of rooms: 1; the largest has 3\n  3: desk.first, desk.room, desk.second\n" in text
    assert "  desk.room (3): desk.first 1, list 1, list.model 1\n" in text
    assert "Imports inside functions: 1\n  desk/second.py:2: desk.room.inner\n" in text
    assert "Imports for type checkers only: 1\n  desk/room/other.py:3: list.model\n" in text


def test_without_a_cycle_it_says_none(checkout: Path) -> None:
    (checkout / "desk" / "second.py").write_text("")

    text = import_map.report(checkout)

    assert "Cycles of files: none\nCycles of rooms: none\n" in text
    assert "linkStyle" not in import_map.mermaid(checkout)


def test_the_diagram_is_written_to_a_file(checkout: Path, tmp_path: Path) -> None:
    target = tmp_path / "rooms.mmd"
    script = ROOT / "packaging" / "import_map.py"
    done = subprocess.run(
        [sys.executable, script, "--root", checkout, "--mermaid", target], capture_output=True, text=True, check=True
    )

    assert done.stdout == import_map.report(checkout)
    lines = target.read_text().splitlines()
    assert lines[0] == "flowchart LR"
    assert '    room_desk_room["desk.room"]' in lines
    arrows = [line for line in lines if "-->" in line]
    assert "  room_desk_first -->|1| room_desk_second" in arrows
    red = {arrows[int(number)] for number in lines[-1].split()[1].split(",")}
    assert red == {
        "  room_desk_first -->|1| room_desk_second",
        "  room_desk_second -->|1| room_desk_room",
        "  room_desk_room -->|1| room_desk_first",
    }
