"""The wheel holds what an installed Newsdesk needs, and nothing else."""

import os
import zipfile
from configparser import ConfigParser
from email.parser import Parser
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

from newsdesk import __version__

ROOT = Path(__file__).parent.parent.parent
PACKAGES = ("composer", "newsdesk", "sandbox", "subscribers", "tasks", "web")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """Built with what is installed here: no network, no isolation."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        (built,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path_factory.mktemp("dist")), versions=["standard"])
    return zipfile.ZipFile(built)


@pytest.fixture(scope="module")
def names(wheel: zipfile.ZipFile) -> set[str]:
    return set(wheel.namelist())


def sources(folder: str) -> set[str]:
    """Every file below a folder of the checkout, relative to it."""
    base = ROOT / folder
    found = (Path(at) / name for at, _, files in os.walk(base) for name in files if "__pycache__" not in at)
    return {str(path.relative_to(base)) for path in found if path.suffix != ".pyc"}


def test_templates_are_inside_the_package(names: set[str]) -> None:
    templates = sources("templates")
    assert "email/digest/edition.mjml.j2" in templates
    assert {f"newsdesk/_templates/{name}" for name in templates} <= names
    assert not {name for name in names if name.startswith("templates/")}


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_is_whole(names: set[str], package: str) -> None:
    """Code, migrations, samples, styles: all that is there."""
    assert {f"{package}/{name}" for name in sources(package)} <= names


def test_what_is_not_python_is_there(names: set[str]) -> None:
    assert "sandbox/style.css" in names
    assert "newsdesk/samples/city-week.txt" in names
    assert "tasks/migrations/0001_initial.py" in names


def test_nothing_else_is(names: set[str], wheel: zipfile.ZipFile) -> None:
    tops = {name.split("/")[0] for name in names}
    (info,) = tops - set(PACKAGES)
    assert info == f"newsdesk-{__version__}.dist-info"
    assert not {name for name in names if name.endswith(".pyc") or "/tests/" in name}
    commands = ConfigParser()
    commands.read_string(wheel.read(f"{info}/entry_points.txt").decode())
    assert dict(commands["console_scripts"]) == {"newsdesk": "newsdesk.cli:main"}


def test_its_dependencies_are_those_of_requirements_in(wheel: zipfile.ZipFile) -> None:
    metadata = Parser().parsestr(wheel.read(f"newsdesk-{__version__}.dist-info/METADATA").decode())
    wanted = (ROOT / "requirements.in").read_text(encoding="utf-8").splitlines()
    told = {line.replace(" ", "") for line in metadata.get_all("Requires-Dist") or []}
    extras = {line for line in told if ";extra==" in line}
    assert {line.split(">")[0].split("[")[0].lower() for line in wanted if line and not line.startswith("#")} == {
        line.split(">")[0].split("<")[0].split("[")[0].lower() for line in told - extras
    }
    assert {line.replace('"', "'") for line in extras} == {"playwright;extra=='screenshots'", "numpy;extra=='radar'"}
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == "MIT"
