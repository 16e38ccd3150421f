"""docs/architecture.md tells the truth: what it names is there."""

import ast
import re
from pathlib import Path

import pytest
from django.apps import apps

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text()
ROWS = re.findall(r"^\| ([^|]+) \| `([^`|]+)` \| `([^`|]+)` \|$", PAGE.split("## Where is what")[1], re.MULTILINE)


def _section(title: str) -> str:
    return PAGE.split(f"## {title}\n")[1].split("\n## ")[0]


def test_it_tells_of_forty_behaviours() -> None:
    assert len(ROWS) >= 40
    assert len({behaviour for behaviour, _, _ in ROWS}) == len(ROWS)


@pytest.mark.parametrize(("behaviour", "file", "name"), ROWS)
def test_a_behaviour_is_where_it_says(behaviour: str, file: str, name: str) -> None:
    tree = ast.parse((ROOT / file).read_text())
    names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}

    assert name in names, behaviour


def test_every_file_it_draws_exists() -> None:
    drawn = set(re.findall(r"\b((?:composer|newsdesk|subscribers|tasks|web|docs)/[\w/.-]+\.(?:py|md))\b", PAGE))

    assert sorted(path for path in drawn if not (ROOT / path).is_file()) == []


def test_every_room_of_tasks_is_told_of() -> None:
    rooms = {folder.parent.name for folder in (ROOT / "tasks").glob("*/__init__.py")} - {"migrations"}

    assert sorted(room for room in rooms if f"`{room}`" not in _section("The house")) == []


def test_every_model_and_its_table_is_told_of() -> None:
    tables = _section("Tables")
    models = [model for app in ("composer", "subscribers", "tasks") for model in apps.get_app_config(app).get_models()]

    lacking = [
        model.__name__
        for model in models
        if f"`{model.__name__}`" not in tables or f"`{model._meta.db_table}`" not in tables
    ]
    assert lacking == []


def test_comments_cite_only_what_is_in_the_repo() -> None:
    files = [file for package in PACKAGES for file in (ROOT / package).rglob("*.py")]
    cited = {(str(file.relative_to(ROOT)), page) for file in files for page in _pages_cited(file.read_text())}

    assert sorted((file, page) for file, page in cited if not _is_there(page)) == []
    assert [str(file) for file in files if "design §" in file.read_text()] == []


PACKAGES = ("benchmarks", "composer", "newsdesk", "sandbox", "subscribers", "tasks", "web")


def _pages_cited(text: str) -> list[str]:
    return re.findall(r"\bdocs/(?:adr/\d{4}|[\w/-]+\.md)", text)


def _is_there(page: str) -> bool:
    return (ROOT / page).is_file() or bool(page.startswith("docs/adr/") and list(ROOT.glob(f"{page}*.md")))
