"""The README's tour at the command line, typed as it stands there, after somebody else's edition was made."""

import csv
import re
import shlex
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsdesk.core.paths import samples_dir
from tests.machine import Desk, new_home, start

pytestmark = pytest.mark.acceptance

ROOT = Path(__file__).parent.parent.parent
ADDRESS = "12 Quay Street, Singapore 049319"


def commands() -> list[str]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    tour = text[text.index("### At the command line") :]
    block = re.search(r"^ *```\n(.*?)^ *```", tour, re.MULTILINE | re.DOTALL)
    assert block is not None
    return [line.strip() for line in block[1].splitlines()]


@pytest.fixture
def desk(migrated_cluster: Path) -> Iterator[Desk]:
    with new_home(migrated_cluster) as home:
        desk = Desk(start(home))
        try:
            yield desk
        finally:
            desk.close()
            desk.up.end(signal.SIGTERM)


def test_the_tour_acts_on_the_readers_own_edition(desk: Desk) -> None:
    digest = str(samples_dir() / "technology-week.txt")
    desk("new-publication", "other", "--title", "Other", "--from", "Other <news@example.com>", "--address", ADDRESS)
    desk("compose", "--publication", "other", "--digest", digest)

    said = ""
    for line in commands():
        program, *words = shlex.split(line)
        assert program == "newsdesk"
        done = desk.commands.run(*words)
        said += done.output
        assert done.code == 0, f"{line}: {done.errors}"

    assert "weekly No. 1 goes out" in said
    told = desk.wait_until_sent(1)
    assert told["submitted"] == len(in_asia()) > 1


def in_asia() -> list[str]:
    with (samples_dir() / "readers.csv").open(encoding="utf-8", newline="") as file:
        return [row["email"] for row in csv.DictReader(file) if row["country"] in {"SG", "MY"}]
