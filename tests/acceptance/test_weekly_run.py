"""A send with everything real, while workers are killed and the broker forgets: nobody twice, nobody missed."""

import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.machine import UNTIL_SENT, Desk, flush_broker, kill_some_worker, running_desk, start
from tests.waiting import eventually

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc for whom to kill"),
]

READERS = 50_000
#: Readers of the segment that the rougher tests send to: 20 batches, of which eight are in flight at a time.
SOME = READERS // 5 * 2


@pytest.fixture(scope="module")
def desk(migrated_cluster: Path) -> Iterator[Desk]:
    with running_desk(READERS, migrated_cluster) as desk:
        yield desk


def test_fifty_thousand_readers_are_all_accounted_for(desk: Desk) -> None:
    edition = desk.compose()
    send = int(desk("send", str(edition), "--list", "readers")["send"])

    told = desk.wait_until_sent(send)

    assert (told["candidates"], told["submitted"], told["excluded"]) == (READERS, READERS, {})
    desk.assert_each_reader_got_it_once(edition, told)
    assert eventually(lambda: desk("status", str(send))["delivered"] == READERS, UNTIL_SENT)


def test_a_worker_killed_ten_times_in_a_send_doubles_and_loses_nobody(desk: Desk) -> None:
    seed = int(os.environ.get("NEWSDESK_TEST_SEED", "8"))
    print(f"seed {seed}")
    dice = random.Random(seed)
    edition = desk.compose()
    # Eight requests are in flight at a time: so that ten deaths come while it goes out.
    desk.sandbox("/sandbox/faults", [{"kind": "latency", "seconds": 4.0}])
    send = int(desk("send", str(edition), "--list", "readers", "--segment", "some")["send"])
    assert eventually(lambda: desk.batches(send).get("submitting"))
    for _ in range(10):
        time.sleep(dice.uniform(0.05, 2.0))
        kill_some_worker(desk.up, dice)
    desk.sandbox("/sandbox/faults", method="DELETE")

    told = desk.wait_until_sent(send)

    assert told["unknown"] == 0
    desk.assert_each_reader_got_it_once(edition, told)
    assert told["submitted"] == SOME
    assert eventually(lambda: desk("status", str(send))["delivered"] == SOME, UNTIL_SENT)


def test_a_flushed_broker_delays_a_send_and_loses_nobody(desk: Desk) -> None:
    edition = desk.compose()
    # So long that the last of them still wait when the first was seen to be out.
    desk.sandbox("/sandbox/faults", [{"kind": "latency", "seconds": 12.0}])
    send = int(desk("send", str(edition), "--list", "readers", "--segment", "some")["send"])
    assert eventually(lambda: desk.batches(send).get("submitted"))
    assert desk.batches(send).get("pending"), "it is in the middle of the send"

    assert flush_broker(desk.up.home) > 0
    desk.sandbox("/sandbox/faults", method="DELETE")

    told = desk.wait_until_sent(send)
    assert told["submitted"] == SOME
    desk.assert_each_reader_got_it_once(edition, told)


def test_a_test_goes_before_the_batches_of_a_send_that_is_under_way(desk: Desk) -> None:
    edition = desk.compose()
    # So long that the command starts and its mail goes out before the last batch begins.
    desk.sandbox("/sandbox/faults", [{"kind": "latency", "seconds": 30.0, "category": f"edition-{edition}"}])
    send = int(desk("send", str(edition), "--list", "readers", "--segment", "some")["send"])
    assert eventually(lambda: desk.batches(send).get("submitting"))

    desk("send-test", str(edition), "editor@example.com")

    assert eventually(lambda: desk.sandbox("/sandbox/ledger?category=newsdesk-test")["accepted"] == 1)
    assert desk.batches(send).get("pending"), "the send is still under way"
    desk.sandbox("/sandbox/faults", method="DELETE")
    told = desk.wait_until_sent(send)
    desk.assert_each_reader_got_it_once(edition, told)
    assert [line["what"] for line in told["history"]] == ["scheduled", "prepared", "sent"]


def test_a_stop_in_the_middle_of_a_send_leaves_no_doubt(desk: Desk) -> None:
    edition = desk.compose()
    desk.sandbox("/sandbox/faults", [{"kind": "latency", "seconds": 1.0, "category": f"edition-{edition}"}])
    send = int(desk("send", str(edition), "--list", "readers", "--segment", "some")["send"])
    assert eventually(lambda: desk.batches(send).get("submitting"))

    printed = desk.up.end(signal.SIGTERM)
    desk.up.process = start(desk.up.home).process

    desk.sandbox("/sandbox/faults", method="DELETE")
    told = desk.wait_until_sent(send)
    desk.assert_each_reader_got_it_once(edition, told)
    assert told["submitted"] == SOME
    settled = desk("evidence", str(send))
    # A machine that is too slow to stop in time kills the worker, and events settle what it leaves.
    had_time = "worker did not stop; it is killed" not in printed
    assert settled["attempts"] == [] or not had_time, "every request that was begun had its own answer"
