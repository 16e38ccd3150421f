"""The machine of the engines is gone, and its copy takes over in the middle of a send."""

import pytest

from tests.machines.conftest import LONG_ONES, MakeSpread
from tests.machines.spread import Spread
from tests.waiting import eventually

pytestmark = [pytest.mark.acceptance, LONG_ONES]

READERS = 30_000


def begin(make_spread: MakeSpread, *, synchronous: bool) -> tuple[Spread, int, int]:
    """An installation whose engines have copies, in the middle of a send: it, the edition and the send."""
    spread = make_spread(standby=True, synchronous=synchronous)
    spread.start()
    spread.furnish(READERS)
    edition, send = spread.send(latency=1.5)
    assert eventually(lambda: spread.batches(send).get("submitted", 0) >= 4)
    return spread, edition, send


def accepted(spread: Spread, edition: int) -> int:
    return int(spread.sandbox(f"/sandbox/ledger?category=edition-{edition}")["accepted"])


def recovered(spread: Spread) -> None:
    """Wait until recovery has run once more."""
    spread.data.valkey(lambda client: client.delete("newsdesk:swept"))
    assert eventually(lambda: spread.data.valkey(lambda client: client.exists("newsdesk:swept")))


def test_a_synchronous_copy_takes_over_and_a_person_resumes(make_spread: MakeSpread) -> None:
    spread, edition, send = begin(make_spread, synchronous=True)
    assert spread.data.followers()[0][0] == "sync"

    spread.fail_over()

    assert eventually(lambda: spread("status", str(send))["status"] == "paused")
    assert "ground_moved" in spread.alarms()
    assert eventually(lambda: not spread.batches(send).get("submitting"))
    # Nothing was lost, so that what nobody posted is still to be sent.
    assert spread.batches(send)["pending"] > 4
    spread("resume", str(send))
    spread.wait_until_sent(send)
    spread.assert_each_reader_got_it_once(edition, READERS)


def test_a_copy_that_lags_behind_sends_nothing_again_and_a_person_is_told(make_spread: MakeSpread) -> None:
    spread, edition, send = begin(make_spread, synchronous=False)
    assert spread.standby is not None
    spread.standby.host.cut_off()
    before = accepted(spread, edition)
    assert eventually(lambda: accepted(spread, edition) >= before + 4000)

    spread.fail_over()

    assert eventually(lambda: spread("status", str(send))["status"] == "paused")
    assert "ground_moved" in spread.alarms()
    assert eventually(lambda: set(spread.batches(send)) <= {"submitted", "unknown"})
    # Requests that were under way when their fences were lost have ended by the next recovery; then nothing leaves any more.
    recovered(spread)
    out = accepted(spread, edition)
    recovered(spread)
    assert accepted(spread, edition) == out
    assert spread.sandbox(f"/sandbox/ledger?category=edition-{edition}")["duplicates"] == 0


def test_the_copy_of_the_broker_alone_takes_over(make_spread: MakeSpread) -> None:
    spread, edition, send = begin(make_spread, synchronous=False)

    spread.fail_over_broker()

    spread.wait_until_sent(send)
    spread.assert_each_reader_got_it_once(edition, READERS)
    assert eventually(spread.healthy)
    assert spread.alarms() == {}
