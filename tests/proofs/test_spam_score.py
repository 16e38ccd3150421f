"""SpamAssassin's local rules over every mail as it would arrive."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from composer.rendering import eml
from tests.proofs.conftest import missing
from tests.proofs.matrix import CASES, edition, named, rendering

pytestmark = pytest.mark.integration

_STATUS = re.compile(r"^X-Spam-Status: \w+, score=(-?[\d.]+)((?:.*\n)(?:[ \t].*\n)*)", re.MULTILINE)
SPAM = (
    "From: x@example.com\r\nSubject: FREE VIAGRA!!! CLICK NOW\r\n\r\n"
    "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\r\n"
)


def test_nothing_is_held_against_any_mail(tmp_path: Path) -> None:
    spamassassin = shutil.which("spamassassin") or missing("no SpamAssassin on this machine")
    files = []
    for case in CASES:
        path = tmp_path / f"{named(case)}.eml"
        path.write_bytes(eml(rendering(*case), edition(*case[1:]).publication))
        files.append(path)
    (tmp_path / "spam.eml").write_text(SPAM)

    done = subprocess.run(
        [
            spamassassin,
            "--local",
            "--test-mode",
            f"--prefspath={tmp_path}/none",
            *map(str, [*files, tmp_path / "spam.eml"]),
        ],
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "LANG": "C"},
        capture_output=True,
        check=True,
    )
    scores = [(float(score), " ".join(rules.split())) for score, rules in _STATUS.findall(done.stdout.decode())]

    assert len(scores) == len(CASES) + 1
    assert scores.pop()[0] >= 1000, "the judge sleeps"
    found = {path.name: score for path, score in zip(files, scores, strict=True)}
    assert {name: score for name, score in found.items() if score[0] > 0} == {}
