"""The image and docker-compose.yml with a real engine: built, started, sent through, a worker's container killed in the middle."""

import re
import time
import urllib.request

import pytest

from tests.containers.stack import Stack
from tests.waiting import LONG, eventually

pytestmark = pytest.mark.acceptance

READERS = 2500
#: Seconds in which a killed container's claims are let go: two runs of recovery, beside other work on this machine.
UNTIL_RELEASED = 30.0
#: A lost session says something once the database has run for longer than a request may take (`tasks.database.leases.POSTS_FOR`).
SESSIONS_TELL = "SELECT clock_timestamp() - pg_postmaster_start_time() > interval '95 s'"


def test_every_service_answers_and_writes_only_where_it_may(stack: Stack) -> None:
    assert set(stack.health().values()) == {"ok"}
    with urllib.request.urlopen(f"{stack.url('web', 8000)}/desk/login/", timeout=LONG) as answer:
        stylesheet = re.search(r'href="(/static/[^"]+\.css)"', answer.read().decode())
    assert stylesheet is not None
    with urllib.request.urlopen(stack.url("web", 8000) + stylesheet[1], timeout=LONG) as answer:
        assert answer.status == 200
    for service in ("web", "worker", "beat", "sandbox"):
        facts = "id -u; touch /opt/newsdesk/x 2>/dev/null && echo wrote; grep CapEff /proc/self/status"
        user, capabilities = stack.inside(stack.container(service), "sh", "-c", facts).splitlines()
        assert (user, int(capabilities.split()[1], 16)) == ("10001", 0), service


def test_the_batch_of_a_killed_worker_goes_on_and_no_reader_is_sent_to_twice(stack: Stack) -> None:
    stack.furnish(READERS)
    workers = stack.workers_by_namespace()
    # Before the send: a request that hangs is given up after a minute by its worker itself.
    assert eventually(lambda: stack.rows(SESSIONS_TELL) == [["t"]], interval=0.5)
    # The first batch is small and alone; of the next three one hangs at the provider, which takes nothing of it.
    stack.sandbox("/sandbox/faults", [{"kind": "reject-then-hang", "times": 1, "requests": [2]}])
    edition, send = stack.send()
    assert eventually(lambda: stack.batches(send) == {"submitted": 3, "submitting": 1}, interval=0.5)
    ((batch, holder),) = stack.claims(send).items()
    (victim,) = [container for namespace, container in workers.items() if namespace in holder]

    began = time.monotonic()
    stack.kill(victim)
    assert eventually(lambda: holder not in stack.claims(send).values(), interval=0.2)
    released = time.monotonic() - began
    # Nobody saw how its request ended: SendGrid's silence, while it tells of later ones, has to show that it took none.
    told = stack.wait_until_sent(send)
    settled = time.monotonic() - began

    print(f"batch {batch}: let go {released:.1f} s after the kill, sent {settled:.1f} s after it")
    assert released < UNTIL_RELEASED
    assert (told["submitted"], told["unknown"], told["failed"]) == (READERS, 0, 0)
    stack.assert_each_reader_got_it_once(edition, READERS)
    assert eventually(lambda: stack("status", str(send))["delivered"] == READERS, interval=0.5)
