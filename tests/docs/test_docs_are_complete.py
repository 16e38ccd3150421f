"""The documentation names everything there is, its links lead somewhere, and nothing of one machine stands in it."""

import argparse
import ast
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from urllib.parse import unquote

import pytest
from django.urls import URLPattern

from newsdesk import urls
from newsdesk.core import environment
from newsdesk.management import directory
from tasks.models import Alarm, Batch, Exclusion, Send
from tasks.providers.events import EventKind
from tasks.providers.sendgrid import events as sendgrid_events
from tasks.sends.counts import Counts
from web import urls as web_urls

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]
PACKAGES = ("composer", "newsdesk", "subscribers", "tasks", "web")
#: Every command of Django has them.
COMMON_OPTIONS = {"--help", "-h", "--version", "--traceback"}
_CODE = re.compile(r"[a-z]+\.[a-z0-9_]+")


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def named(text: str) -> set[str]:
    """What stands in code marks, whole."""
    return set(re.findall(r"`([^`\n]+)`", text))


def assert_complete(wanted: set[str], text: str, where: str) -> None:
    missing = sorted(wanted - named(text))
    assert not missing, f"{where} does not name: {', '.join(missing)}"


# Settings


class Asked(dict[str, str]):
    """An empty environment that remembers what was asked of it."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def get(self, key: str, default: str = "") -> str:  # type: ignore[override]
        self.names.add(key)
        return default


def settings_read() -> set[str]:
    asked = Asked()
    environment.read(asked)
    return {name for name in asked.names if not name.endswith("_FILE")}


def test_every_setting() -> None:
    names = settings_read()
    assert len(names) >= 13
    assert_complete(names, page("reference/settings.md"), "reference/settings.md")


def test_no_setting_that_does_not_exist() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` ", page("reference/settings.md"), re.MULTILINE)
    assert set(rows) == settings_read()


# Commands


def sections() -> dict[str, str]:
    parts = re.split(r"^## newsdesk (\S+)\n", page("reference/commands.md"), flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def actions(name: str) -> Iterator[argparse.Action]:
    command = directory.load(name)
    assert command is not None, name
    own = argparse.ArgumentParser(add_help=False)
    command.add_arguments(own)  # type: ignore[arg-type]
    reports = getattr(command, "reports", False)
    yield from own._actions
    if reports:
        yield argparse.Action(["--json"], "json")  # type: ignore[abstract]


def test_every_command_has_its_section() -> None:
    assert set(sections()) == set(directory.ours())


@pytest.mark.parametrize("name", directory.ours())
def test_every_option(name: str) -> None:
    section = sections().get(name, "")
    for action in actions(name):
        if action.help == argparse.SUPPRESS or set(action.option_strings) & COMMON_OPTIONS:
            continue
        words = action.option_strings or [str(action.metavar or action.dest)]
        assert any(re.search(rf"`{re.escape(word)}[`\s]", section) for word in words), (
            f"{name}: {words} is not described"
        )


@pytest.mark.parametrize("name", directory.ours())
def test_no_option_that_does_not_exist(name: str) -> None:
    described = set(re.findall(r"^- .*?`(--[a-z-]+)", sections()[name], re.MULTILINE))
    known = {word for action in actions(name) for word in action.option_strings}
    assert described <= known, f"{name} has no {', '.join(sorted(described - known))}"


def test_the_json_of_status() -> None:
    section = sections()["status"]
    for name in ("send", *(field.name for field in fields(Counts))):
        assert f'"{name}"' in section, name


# Addresses


def as_written(pattern: URLPattern) -> str:
    """Make /u/<token> of ^u/(?P<token>[^/]+), and /media/<path> of media/<path:path>."""
    text = str(pattern.pattern).removeprefix("^").removesuffix("/?\\Z")
    text = re.sub(r"\(\?P<(\w+)>[^)]*\)", r"<\1>", text)
    return "/" + re.sub(r"<\w+:(\w+)>", r"<\1>", text)


def test_every_public_address() -> None:
    patterns = [each for each in [*urls.urlpatterns, *web_urls.urlpatterns] if isinstance(each, URLPattern)]
    assert len(patterns) >= 6
    assert_complete({as_written(pattern) for pattern in patterns}, page("reference/urls.md"), "reference/urls.md")


def test_no_address_has_two_rows() -> None:
    rows = re.findall(r"^\| (`/[^|]+) \| ([A-Z, ]*) \|", page("reference/urls.md"), re.MULTILINE)
    assert len(rows) >= 30
    assert [row for row in rows if rows.count(row) > 1] == []


# Codes of checks, and of alarms


def trees(*folders: str) -> Iterator[tuple[Path, ast.AST]]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path, ast.parse(path.read_text(encoding="utf-8"))


def texts(nodes: Iterator[ast.expr] | list[ast.expr]) -> set[str]:
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def check_codes() -> set[str]:
    found: set[str] = set()
    for path, tree in trees(*PACKAGES):
        of_checks = "checks" in path.parts or path.name == "inspection.py"
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                found |= texts([keyword.value for keyword in node.keywords if keyword.arg == "code"])
                found |= texts(node.args) if of_checks else set()
            elif isinstance(node, ast.Dict) and of_checks:
                found |= texts(node.values)
    return {code for code in found if _CODE.fullmatch(code)}


def test_every_check() -> None:
    codes = check_codes()
    assert {"cta.no_link", "html.doctype", "subject.long", "theme.broken", "audience.unknown", "digest.doubt"} <= codes
    assert_complete(codes, page("reference/checks.md"), "reference/checks.md")


def test_no_check_that_does_not_exist() -> None:
    rows = set(re.findall(r"^\| `([a-z]+\.[a-z0-9_]+)` ", page("reference/checks.md"), re.MULTILINE))
    assert rows == check_codes()


def test_every_alarm() -> None:
    codes = {code.value for code in Alarm.Code}
    assert_complete(codes, page("reference/states-and-counts.md"), "reference/states-and-counts.md")


# Events, states and reasons


def test_every_kind_of_event() -> None:
    words = {*sendgrid_events.KINDS, *sendgrid_events.DROP_CAUSES}
    assert_complete({*EventKind, *words}, page("reference/events.md"), "reference/events.md")


def test_every_reason_and_state() -> None:
    wanted = {*Exclusion.REASONS, *Send.Status.values, *Batch.Status.values, *(field.name for field in fields(Counts))}
    assert_complete(
        wanted - {"status", "candidates"}, page("reference/states-and-counts.md"), "reference/states-and-counts.md"
    )


# Links


def anchors(path: Path) -> set[str]:
    """As Git hosts make them of headings."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    prose = re.sub(r"^ *```.*?^ *```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = unquote(target).partition("#")
        found = (path.parent / file).resolve() if file else path
        assert found.exists(), f"{path.name}: {target} leads nowhere"
        assert not anchor or anchor in anchors(found), f"{path.name}: {target}: there is no such heading"


def test_every_page_is_reached_from_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    pages = [path for path in DOCS.rglob("*.md") if path.parent.name != "adr"]
    missing = [str(path.relative_to(ROOT)) for path in pages if f"({path.relative_to(ROOT)})" not in readme]
    assert not missing, f"README.md does not lead to {', '.join(missing)}"


def test_pictures_are_small_and_shown() -> None:
    shown = {
        (path.parent / target).resolve()
        for path in PAGES
        for target in re.findall(r"!\[[^\]]+\]\(([^)\s]+)\)", path.read_text(encoding="utf-8"))
    }
    pictures = {path.resolve() for path in (DOCS / "images").iterdir()}
    assert pictures <= shown, "no page shows it"
    assert shown <= pictures, "it is not there"
    for path in pictures:
        assert path.stat().st_size < 200_000, path.name


def test_every_picture_of_the_desk_is_taken_by_make_screenshots() -> None:
    """Those of mails come from `newsdesk render --screenshots`."""
    script = (ROOT / "packaging" / "screenshots.py").read_text(encoding="utf-8")
    taken = {f"{name}.png" for name in re.findall(r'_picture\("(\w+)"\)', script)}
    there = {path.name for path in (DOCS / "images").iterdir() if not path.name.startswith("theme-")}
    assert taken == there


# Nothing of one machine

#: Folders of one machine, and hosts that packages and images are fetched from. The parts are joined here so that this
#: file does not name them itself.
FOREIGN = re.compile(
    "|".join(
        [
            r"(?<![\w.])/(?:work|root|Users)/\w",
            r"(?:pypi|python" + "hosted|np" + r"mjs)\.(?:org|com)",
            r"(?:docker|gh" + r"cr|quay)\.io(?!\w)",
        ]
    )
)


def committed_files() -> list[Path]:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a Git checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_nothing_of_one_machine_stands_in_the_repository() -> None:
    found = []
    for path in committed_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {match[0]}" for match in FOREIGN.finditer(text)]
    assert not found, "\n".join(found)
