"""A new version with a migration comes in the middle of a send, a machine at a time."""

import signal
import sys

import pytest

from tests.machines import next_version
from tests.machines.conftest import LONG_ONES, MakeSpread
from tests.waiting import eventually

pytestmark = [pytest.mark.acceptance, LONG_ONES]

READERS = 80_000


def test_a_new_version_with_a_migration_comes_in_the_middle_of_a_send(make_spread: MakeSpread) -> None:
    spread = make_spread()
    code = next_version.make(spread.folder / "next")
    spread.start()
    spread.furnish(READERS)
    edition, send = spread.send(latency=3.0)
    assert eventually(lambda: spread.working_on(send, "one") and spread.working_on(send, "two"))

    web = spread.host("web")
    words = [sys.executable, "-m", "newsdesk", "migrate", "--noinput"]
    migrate = web.start(words, spread.log("web", "migrate"), env=spread.environment("web"), cwd=code)
    assert migrate.wait(120) == 0, spread.log("web", "migrate").read_text()
    made = "SELECT made_by, count(*) FROM tasks_batch WHERE send_id = %s GROUP BY 1"
    assert [by for by, _ in spread.rows(made, [send])] == ["migration"]
    # Now both versions work on what the new one has changed; web first, which reads the links that the others sign.
    spread.stop("web", "gunicorn", signal.SIGTERM)
    spread.start_web(code)
    for host in ("one", "two"):
        spread.stop(host, "tasks.celery worker")
        spread.start_worker(host, code)
        assert eventually(lambda host=host: spread.working_on(send, host) or not spread.batches(send).get("pending"))
    assert spread.batches(send).get("pending"), "the send was over too early to say anything"
    spread.stop("web", "tasks.celery beat", signal.SIGTERM)
    spread.start_beat(code)

    spread.wait_until_sent(send)
    spread.assert_each_reader_got_it_once(edition, READERS)
    assert eventually(spread.healthy)
    assert eventually(lambda: spread("status", str(send))["delivered"] == READERS)
    assert spread.alarms() == {}
