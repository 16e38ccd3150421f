import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.proofs.conftest import HERE, missing
from tests.proofs.matrix import CASES, named, rendering

pytestmark = pytest.mark.integration


def verdicts(sources: dict[str, str], node_modules: Path) -> dict[str, list[str]]:
    node = shutil.which("node") or missing("no node on this machine")
    done = subprocess.run(
        [node, str(HERE / "strict.mjs")],
        input=json.dumps(sources),
        env={**os.environ, "NODE_MODULES": str(node_modules)},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def test_strict_mjml_finds_nothing(node_modules: Path) -> None:
    """The parser we use lets unknown tags and attributes pass; the original does not."""
    sources = {named(case): rendering(*case).mjml for case in CASES}
    spoilt = "<mjml><mj-body><mj-section colour='red'><mj-column></mj-column></mj-section></mj-body></mjml>"

    found = verdicts({**sources, "spoilt": spoilt}, node_modules)

    assert found.pop("spoilt"), "the judge sleeps"
    assert {name: faults for name, faults in found.items() if faults} == {}
    assert len(found) == len(CASES)
