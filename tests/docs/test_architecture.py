"""docs/architecture.md tells the truth: what it names is there, and what is there it names."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PACKAGES = ("benchmarks", "composer", "newsdesk", "packaging", "sandbox", "subscribers", "tasks", "tests", "web")
#: Folders that hold no code of a topic.
NO_ROOMS = {"commands", "data", "migrations", "samples"}


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


ROWS = re.findall(r"^\| ([^|]+) \| `([^`|]+)` \| `([^`|]+)` \|$", section("Where is what"), re.MULTILINE)


# Where is what


def names_in(source: str) -> set[str]:
    """Functions, classes and constants of a module, and its classes' methods as Class.method."""
    return set(_names(ast.parse(source).body, ""))


def _names(body: list[ast.stmt], prefix: str) -> Iterator[str]:
    for node in body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield prefix + name
            case ast.ClassDef(name=name, body=inner):
                yield prefix + name
                yield from _names(inner, f"{prefix}{name}.")
            case ast.Assign(targets=targets):
                yield from (prefix + target.id for target in targets if isinstance(target, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield prefix + name


def test_names_of_every_kind_are_found() -> None:
    source = "A = 1\nB: int = 2\ndef c(): d = 3\nclass E:\n  F = 4\n  def g(self): ...\n"

    assert names_in(source) == {"A", "B", "c", "E", "E.F", "E.g"}


def test_it_tells_of_a_hundred_behaviours() -> None:
    assert len(ROWS) >= 100
    assert len({behaviour for behaviour, _, _ in ROWS}) == len(ROWS)


def test_every_row_is_read() -> None:
    lines = [line for line in section("Where is what").splitlines() if line.startswith("| ")]
    assert len(lines) == len(ROWS) + 1, "a row of the table is not written as | behaviour | `file` | `name` |"


@pytest.mark.parametrize(("behaviour", "file", "name"), ROWS)
def test_a_behaviour_is_where_it_says(behaviour: str, file: str, name: str) -> None:
    assert (ROOT / file).is_file(), f"{behaviour}: there is no {file}"
    assert name in names_in((ROOT / file).read_text(encoding="utf-8")), f"{behaviour}: {file} has no {name}"


# The house


def rooms(package: str) -> set[str]:
    """Folders of the package with code in them, and folders in those, as "rendering.themes"."""
    inside = (file.parent.relative_to(ROOT / package) for file in (ROOT / package).rglob("__init__.py"))
    return {".".join(folder.parts) for folder in inside if folder.parts and not NO_ROOMS & set(folder.parts)}


def table_after(text: str, sentence: str) -> str:
    return text.split(sentence)[1].lstrip("\n").partition("\n\n|")[2].partition("\n\n")[0]


@pytest.mark.parametrize("package", ["tasks", "composer", "newsdesk"])
def test_every_room_is_told_of(package: str) -> None:
    table = table_after(section("The house"), f"The rooms of `{package}`")
    told = {
        name for cell in re.findall(r"^\|? ?((?:`[\w.]+`(?:, )?)+) \|", table, re.MULTILINE) for name in ticked(cell)
    }
    found = rooms(package)
    if package == "tasks":
        found = {room.partition(".")[0] for room in found} | {
            file.stem for file in (ROOT / package).glob("*.py") if file.stem not in {"__init__", "apps"}
        }

    assert sorted(found - told) == [], f"docs/architecture.md, The house: rooms of {package} are missing"
    assert sorted(told - found) == [], f"docs/architecture.md, The house: {package} has no such rooms"


def test_the_rooms_of_tasks_stand_in_the_order_of_the_contract() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    (contract,) = (one for one in contracts if one.get("containers") == ["tasks"])
    layers = [set(re.findall(r"\w+", layer)) for layer in contract["layers"]]
    table = table_after(section("The house"), "The rooms of `tasks`")
    told = [set(ticked(line.split("|")[1])) for line in ("|" + table).splitlines() if "`" in line.split("|")[1]]

    assert told == layers


def ticked(text: str) -> list[str]:
    return re.findall(r"`([\w.]+)`", text)


# Flows, links and tables


def test_every_file_it_names_exists() -> None:
    named = set(re.findall(r"\b((?:composer|newsdesk|subscribers|tasks|web|docs|tests)/[\w/.-]+\.(?:py|md))\b", PAGE))

    assert len(named) > 80
    assert sorted(path for path in named if not (ROOT / path).is_file()) == []


def test_a_flow_draws_files_by_their_whole_path() -> None:
    drawn = re.findall(r"\[\"?([^\]\"]+\.py)\"?\]", section("Flows"))

    assert len(drawn) > 25
    assert sorted(path for path in drawn if not (ROOT / path).is_file()) == []


def test_every_model_and_its_table_is_told_of() -> None:
    tables = section("Tables")
    models = [model for app in ("composer", "subscribers", "tasks") for model in apps.get_app_config(app).get_models()]

    lacking = [
        model.__name__
        for model in models
        if f"`{model.__name__}`" not in tables or f"`{model._meta.db_table}`" not in tables
    ]
    assert lacking == []
    known = {model._meta.db_table for model in models} | {model.__name__ for model in models}
    assert sorted(name for name in ticked(tables) if name not in known) == []


def test_the_pages_at_the_root_lead_somewhere() -> None:
    for name in ("CONTRIBUTING.md", "SECURITY.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        linked = re.findall(r"\]\(([^)#:\s]+)[^)\s]*\)", text)
        written = re.findall(r"`((?:composer|newsdesk|subscribers|tasks|web|docs|tests|templates)/[\w/.-]+)`", text)
        assert sorted(path for path in {*linked, *written} if not (ROOT / path).exists()) == [], name


# What comments cite


def cited(source: str) -> set[str]:
    """Pages that the comments and docstrings of a file name, and sections of this page with a # between."""
    pages = set(re.findall(r"\bdocs/(?:adr/\d{4}|[\w/-]+\.md)", source))
    for sections in re.findall(r"\bdocs/architecture\.md`?,((?:(?: and)? \"?[A-Z][a-z]+(?: [a-z]+)?\"?)+)", source):
        pages |= {f"docs/architecture.md#{name}" for name in re.findall(r"[A-Z][a-z]+(?: (?!and\b)[a-z]+)?", sections)}
    return pages


def is_there(page: str) -> bool:
    path, _, heading = page.partition("#")
    if path.startswith("docs/adr/"):
        return bool(list(ROOT.glob(f"{path}*")))
    return (ROOT / path).is_file() and (not heading or f"\n## {heading}\n" in PAGE)


def test_citations_are_found() -> None:
    assert cited('# docs/adr/0002, and (docs/architecture.md, "Delivery" and "Lock order").') == {
        "docs/adr/0002",
        "docs/architecture.md",
        "docs/architecture.md#Delivery",
        "docs/architecture.md#Lock order",
    }
    assert not is_there("docs/no-such-page.md")
    assert not is_there("docs/architecture.md#No such heading")


def test_comments_cite_only_what_is_in_the_repo() -> None:
    sources = {
        file.relative_to(ROOT): file.read_text(encoding="utf-8")
        for package in PACKAGES
        for file in (ROOT / package).rglob("*.py")
        if file != Path(__file__).resolve()
    }
    assert (
        sorted(f"{file}: {page}" for file, text in sources.items() for page in cited(text) if not is_there(page)) == []
    )
    assert sorted(str(file) for file, text in sources.items() if re.search(r"\bdesign(?:\.md)? ?§", text)) == []
