"""Reports on requests that the database lacks: one alone stops no send where the mark agrees, two do."""

import json
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.core import management
from django.db import connection, transaction
from structlog.testing import capture_logs

from tasks.database import high_water
from tasks.feedback import applying
from tasks.models import Alarm, Attempt, Batch, Send, UnmatchedReport, WebhookState
from tasks.reconciliation import decisions
from tasks.sends import control
from tests import factories
from tests.reports import World, deliver, make_world, store, suppressions
from tests.tasks.lock_waits import waiting_for_locks
from tests.waiting import LONG, eventually

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


@pytest.fixture
def world() -> World:
    """Its second batch is still to be submitted; the mark agrees with the database."""
    world = make_world(2)
    factories.make_batch(world.send, status=Batch.Status.PENDING)
    return world


def unmatched(world: World, event: str = "processed", *, attempt: UUID | None = None, **fields: Any) -> dict[str, Any]:
    return world.report(0, event, nd_attempt=str(attempt or uuid4()), **fields)


def status(world: World) -> str:
    return Send.objects.get(pk=world.send.pk).status


def open_batch(world: World) -> Batch:
    return Batch.objects.exclude(pk=world.batch.pk).get(send=world.send)


def foreign() -> int:
    return sum(WebhookState.objects.values_list("foreign_events", flat=True))


def lost() -> set[UUID]:
    return set(Attempt.objects.filter(transport="lost", outcome="accepted").values_list("pk", flat=True))


def assert_goes_on(world: World) -> None:
    assert (status(world), open_batch(world).status) == (Send.Status.SENDING, Batch.Status.PENDING)
    assert not Alarm.objects.exists()
    assert lost() == set()


def assert_paused(world: World) -> None:
    assert (status(world), open_batch(world).status) == (Send.Status.PAUSED, Batch.Status.UNKNOWN)
    assert "it has lost what it had committed" in Alarm.objects.get(send=world.send, code="ground_moved").message


def test_one_alone_stops_nothing_and_is_told_mildly(world: World) -> None:
    attempt = uuid4()

    with capture_logs() as logs:
        deliver(unmatched(world, attempt=attempt))

    assert_goes_on(world)
    assert logs == [
        {"event": "unmatched_report", "log_level": "warning", "send": world.send.pk, "attempts": [str(attempt)]}
    ]
    out = StringIO()
    management.call_command("status", "--json", stdout=out)
    assert json.loads(out.getvalue())["foreign_events"] == 1


def test_a_second_one_does_whenever_it_comes(world: World) -> None:
    attempts = {uuid4(), uuid4()}

    for attempt in attempts:
        deliver(unmatched(world, attempt=attempt))

    assert_paused(world)
    assert lost() == attempts
    assert foreign() == 1


def test_another_report_on_the_same_request_is_a_second_one(world: World) -> None:
    attempt = uuid4()

    deliver(unmatched(world, "processed", attempt=attempt))
    deliver(unmatched(world, "delivered", attempt=attempt))

    assert_paused(world)
    assert lost() == {attempt}


def test_the_same_report_again_is_none(world: World) -> None:
    report = unmatched(world)

    for _ in range(3):
        deliver(report)
    deliver(report, report)

    assert_goes_on(world)
    assert foreign() == 1


def test_two_in_one_receipt_do(world: World) -> None:
    deliver(unmatched(world), unmatched(world))

    assert_paused(world)
    assert foreign() == 0


def test_two_in_two_receipts_that_are_applied_together_do(world: World) -> None:
    for _ in range(2):
        store(unmatched(world))

    applying.apply_all_waiting()

    assert_paused(world)


def test_one_of_each_of_two_sends_stops_neither(world: World) -> None:
    other = make_world()

    deliver(unmatched(world), unmatched(other))

    assert_goes_on(world)
    assert status(other) == Send.Status.SENDING
    assert foreign() == 2


def test_one_is_believed_where_the_database_is_behind_the_mark(world: World) -> None:
    high_water.advance(high_water.Fence(high_water.last_fence() + 1, high_water.installation(), world.send.pk))

    deliver(unmatched(world))

    assert_paused(world)
    assert foreign() == 0


def test_one_is_believed_where_nobody_can_say(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (settings.HOME.marks / high_water.installation()).unlink()
    monkeypatch.setattr("django.conf.settings.REDIS_URL", f"redis+socket://{tmp_path}/none.sock")
    monkeypatch.setattr(high_water, "_redis", high_water._Redis())
    with pytest.raises(high_water.UnsureError):
        high_water.agrees()

    deliver(unmatched(world))

    assert_paused(world)


def test_of_many_all_requests_are_lost_and_two_reports_are_kept(world: World) -> None:
    attempts = [uuid4() for _ in range(6)]

    deliver(unmatched(world, attempt=attempts[0]))
    deliver(*[unmatched(world, attempt=attempt) for attempt in attempts[1:]])

    assert_paused(world)
    assert lost() == set(attempts)
    assert UnmatchedReport.objects.count() == 2


def test_a_later_one_on_another_request_pauses_again(world: World) -> None:
    deliver(unmatched(world), unmatched(world))
    Send.objects.filter(pk=world.send.pk).update(status=Send.Status.SENDING)

    deliver(unmatched(world))

    assert status(world) == Send.Status.PAUSED


def test_later_reports_on_these_requests_do_not_undo_a_persons_decision(world: World) -> None:
    attempts = [uuid4(), uuid4()]
    for attempt in attempts:
        deliver(unmatched(world, attempt=attempt))
    assert decisions.resend(open_batch(world).pk, who="ada")
    assert control.resume(world.send.pk)

    for attempt in attempts * 2:
        deliver(unmatched(world, "open", attempt=attempt))

    assert (status(world), open_batch(world).status) == (Send.Status.SENDING, Batch.Status.PENDING)


def test_those_of_a_send_that_is_not_here_do_nothing(world: World) -> None:
    delivery = f"{world.send.pk + 1000}.{world.readers[0].pk}"

    deliver(unmatched(world, nd_delivery=delivery), unmatched(world, nd_delivery=delivery))

    assert_goes_on(world)
    assert not UnmatchedReport.objects.exists()
    assert foreign() == 0


def test_who_complains_by_one_alone_is_mailed_no_more(world: World) -> None:
    deliver(unmatched(world, "spamreport"))

    assert_goes_on(world)
    assert {address for address, *_ in suppressions()} == {world.readers[0].email}


def test_one_alone_is_no_proof_for_the_request_that_its_reader_is_in(world: World) -> None:
    """Else the readers heard of were never all of the request's."""
    deliver(unmatched(world, "processed"))

    deliver(world.report(0, "delivered"))

    assert world.heard() == 1


@pytest.mark.django_db(transaction=True)
def test_two_workers_with_one_each_at_the_same_time_do_not_both_see_one() -> None:
    world = make_world()
    factories.make_batch(world.send, status=Batch.Status.PENDING)
    receipts = [store(unmatched(world)) for _ in range(2)]

    def work(receipt_id: int) -> None:
        try:
            applying.apply_receipt(receipt_id)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        with transaction.atomic():
            # Both have stored their report, and count when this ends.
            Send.objects.select_for_update(no_key=True).get(pk=world.send.pk)
            workers = [pool.submit(work, receipt_id) for receipt_id in receipts]
            assert eventually(lambda: waiting_for_locks("tasks_send") == 2)
        for worker in workers:
            worker.result(LONG)

    assert_paused(world)
    assert len(lost()) == 2
    assert foreign() == 1
