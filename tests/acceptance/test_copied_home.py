"""A whole home is copied as an operator does it, started elsewhere, and asks what was sent since."""

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsdesk.core.home import Home
from tests.machine import UNTIL_SENT, Desk, new_home, running_desk, start
from tests.waiting import eventually

pytestmark = pytest.mark.acceptance

READERS = 5


@pytest.fixture
def copied(migrated_cluster: Path) -> Iterator[Desk]:
    """A home that has sent once, stopped and copied by `cp -a`; the copy runs."""
    with new_home() as copy:
        with running_desk(READERS, migrated_cluster) as desk:
            _send(desk)
            desk.up.end(signal.SIGTERM)
            subprocess.run(["cp", "-a", f"{desk.up.home.path}/.", copy.path], check=True)
        desk = Desk(start(Home(copy.path)))
        try:
            yield desk
        finally:
            desk.close()
            desk.up.end(signal.SIGTERM)


def _send(desk: Desk) -> dict[str, object]:
    return desk.wait_until_sent(int(desk("send", str(desk.compose()), "--list", "readers")["send"]))


def test_a_copied_home_sends_nothing_until_somebody_says_that_nothing_was_sent_since(copied: Desk) -> None:
    send = int(copied("send", str(copied.compose()), "--list", "readers")["send"])

    def alarm() -> str:
        return " ".join(one["message"] for one in copied("alarms")["alarms"])

    assert eventually(lambda: "this home was copied or restored from a backup" in alarm(), UNTIL_SENT)
    assert copied("status", str(send))["submitted"] == 0

    assert copied("confirm-database", "--newest") == {"confirmed": True, "held": []}

    assert copied.wait_until_sent(send)["submitted"] == READERS
    assert alarm() == ""
