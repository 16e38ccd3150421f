"""What Newsdesk stands on is listed in the wheel, under licences that are on the list, and looked up for weaknesses."""

import importlib.util
import json
import re
import zipfile
from email.message import Message
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[2]


def tool(name: str) -> ModuleType:
    """A script of packaging/, which is no package."""
    spec = importlib.util.spec_from_file_location(f"packaging_{name}", ROOT / "packaging" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


licences, audit, sbom = tool("licences"), tool("audit"), tool("sbom")
PINS = (ROOT / "requirements.txt").read_text(encoding="utf-8")


def test_every_licence_is_on_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert licences.main() == 0
    assert f"django {version('django')}".split() in [line.split()[:2] for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True),
        ("MIT AND Zlib", True),
        ("GPL-3.0-only", False),
        ("GPL-3.0-only OR MIT", True),
        ("MIT AND GPL-3.0-only", False),
        ("MPL-2.0 AND (Apache-2.0 OR MIT)", True),
        ("Apache-2.0 WITH LLVM-exception", True),
        ("none told", False),
    ],
)
def test_what_may_be_used(expression: str, allowed: bool) -> None:
    assert licences.is_allowed(expression) is allowed


@pytest.mark.parametrize(
    ("headers", "licence"),
    [
        ({"License-Expression": "MIT"}, "MIT"),
        ({"Classifier": "License :: OSI Approved :: BSD License"}, "BSD"),
        ({"License": "Apache License, Version 2.0"}, "Apache-2.0"),
        ({"License": "GNU Lesser General Public License v3"}, "LGPL-3.0-or-later"),
        ({"License": "GNU General Public License v3"}, "GNU General Public License v3"),
        ({}, "none told"),
    ],
)
def test_a_licence_is_read_from_whatever_tells_it(headers: dict[str, str], licence: str) -> None:
    told = Message()
    for name, value in headers.items():
        told[name] = value
    assert licences.licence_of(told) == licence


def test_the_wheel_lists_what_is_pinned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    (built,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with zipfile.ZipFile(built) as wheel:
        (name,) = [name for name in wheel.namelist() if "/sboms/" in name]
        bill = json.loads(wheel.read(name))

    assert name.endswith(".dist-info/sboms/newsdesk.cdx.json")
    assert {one["name"] for one in bill["components"]} == set(licences.pinned(PINS))
    assert len(bill["components"]) == len(re.findall(r"^[a-z0-9._-]+==", PINS, re.MULTILINE))
    references = {one["bom-ref"] for one in bill["components"]}
    assert all(set(one["dependsOn"]) <= references for one in bill["dependencies"])
    direct = {reference.split("/")[1].split("@")[0] for reference in bill["dependencies"][0]["dependsOn"]}
    assert {"django", "wagtail", "celery"} <= direct
    hashes = [one["externalReferences"][0]["hashes"] for one in bill["components"]]
    assert sum(map(len, hashes)) == PINS.count("--hash=sha256:")


def test_the_same_pins_give_the_same_bill() -> None:
    assert sbom.bill_of(PINS, "1.0") == sbom.bill_of(PINS, "1.0")
    assert sbom.bill_of(PINS, "1.0")["serialNumber"] != sbom.bill_of(PINS, "1.1")["serialNumber"]


def test_the_bill_is_what_cyclonedx_says() -> None:
    pytest.importorskip("cyclonedx")
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(sbom.bill_of(PINS, "1.0"))) is None


def test_a_known_weakness_fails() -> None:
    flaw = {"id": "PYSEC-1", "fix_versions": ["2.0"]}
    found = [{"name": "a", "version": "1.0", "vulns": [flaw]}, {"name": "b", "version": "1", "vulns": []}]

    assert audit.verdict(1, json.dumps({"dependencies": found}), "") == (
        1,
        ["a 1.0: PYSEC-1, mended in 2.0", "2 packages looked at, 1 known weaknesses"],
    )


@pytest.mark.parametrize(
    ("output", "errors", "expected"),
    [
        ("", "requests.exceptions.ConnectionError: Max retries exceeded", (0, "skipped: the service")),
        (json.dumps({"dependencies": [{"name": "a", "skip_reason": "not on PyPI"}]}), "", (0, "skipped: the index")),
        ("", "error: no such option", (1, "error: no such option")),
    ],
)
def test_who_cannot_ask_is_told_so(output: str, errors: str, expected: tuple[int, str]) -> None:
    status, lines = audit.verdict(1, output, errors)
    assert (status, lines[0].startswith(expected[1])) == (expected[0], True)


def test_without_a_connection_it_is_skipped_with_a_word(monkeypatch: Any, capfd: Any) -> None:
    pytest.importorskip("pip_audit")
    assert audit.main(["--vulnerability-service", "osv", "--osv-url", "http://127.0.0.1:9/"]) == 0
    assert capfd.readouterr().out.startswith("skipped: ")


def test_images_are_named_by_their_digest_or_said_not_to_be() -> None:
    """Where a digest is missing, the comment that says how to pin it stands above."""
    for file in ("Dockerfile", "docker-compose.yml"):
        text = (ROOT / file).read_text(encoding="utf-8")
        for line in text.splitlines():
            image = re.match(r"(?:FROM|\s+image:) +(\S+)", line)
            if image and image[1] != "newsdesk" and "@sha256:" not in image[1]:
                assert "docker buildx imagetools inspect" in text, f"{file}: {image[1]}"
