"""Several receipts in one transaction: as if each had been applied alone."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any
from unittest import mock

import pytest
from django.db import DatabaseError, OperationalError, connection, transaction
from django.utils import timezone
from psycopg import errors
from structlog.testing import capture_logs

from subscribers.models import Suppression
from tasks.feedback import applying, inbox, taking, waiting_reports
from tasks.models import Alarm, Attempt, Batch, Event, Receipt, WebhookState
from tests.reports import World, deliver, make_world, state, store

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def nothing_set_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking, "_set_apart", {})


@pytest.fixture
def transactions(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """The receipts of each transaction that was begun."""
    begun: list[list[int]] = []
    apply = applying._apply

    def noting(receipt_ids: list[int]) -> Any:
        begun.append(list(receipt_ids))
        return apply(receipt_ids)

    monkeypatch.setattr(applying, "_apply", noting)
    return begun


def waiting() -> list[int]:
    return list(Receipt.objects.filter(applied_at=None).order_by("pk").values_list("pk", flat=True))


def breaks_for(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """A fault of ours that shows with one kind of event."""
    carry_out = applying.carry_out

    def breaking(events: list[Any]) -> None:
        if any(event.kind == kind for event in events):
            raise KeyError(kind)
        carry_out(events)

    monkeypatch.setattr(applying, "carry_out", breaking)


def test_repeated_reports_count_once_within_a_receipt_and_across_them(transactions: list[list[int]]) -> None:
    world = make_world(3)
    bounce = world.report(1, "bounce", type="bounce")
    delivered, opened = world.report(0, "delivered"), world.report(0, "open")
    ids = [store(delivered, delivered, bounce), store(opened, delivered), store(bounce, opened, opened)]

    assert not applying.apply_all_waiting()

    assert transactions == [ids]
    assert world.counts() == {"delivered": 1, "opened": 1, "bounced": 1}
    assert world.heard() == 2
    assert Event.objects.count() == 3
    assert Suppression.objects.count() == 1
    assert not waiting()


def test_an_event_that_was_stored_before_has_no_effect_among_new_ones() -> None:
    world = make_world(2)
    bounce = world.report(0, "bounce", type="bounce")
    deliver(bounce)
    Suppression.objects.all().delete()
    store(world.report(1, "delivered"), bounce)
    store(world.report(1, "open"))

    applying.apply_all_waiting()

    assert world.counts() == {"bounced": 1, "delivered": 1, "opened": 1}
    assert not Suppression.objects.exists()


def test_each_undated_event_is_dated_by_its_own_receipt() -> None:
    world = make_world(3)
    ids = [store(world.report(reader, "delivered", timestamp="soon"), world.report(2, "open")) for reader in range(2)]
    received = [datetime.fromisoformat(f"2026-01-0{day}T10:00:00.123457+00:00") for day in (1, 2)]
    for receipt_id, at in zip(ids, received, strict=True):
        Receipt.objects.filter(pk=receipt_id).update(received_at=at)

    applying.apply_all_waiting()

    dated = dict(Event.objects.filter(kind="delivered").values_list("subscriber_id", "at"))
    assert dated == {world.readers[0].pk: received[0], world.readers[1].pk: received[1]}


def test_proof_names_the_receipt_that_it_stands_in() -> None:
    worlds = [make_world(), make_world()]
    Attempt.objects.update(outcome="unknown")
    Batch.objects.update(status=Batch.Status.UNKNOWN)
    ids = [store(world.report(0, "processed")) for world in worlds]

    applying.apply_all_waiting()

    for world, receipt_id in zip(worlds, ids, strict=True):
        attempt = Attempt.objects.get(pk=world.attempt.pk)
        assert attempt.outcome == "accepted"
        assert attempt.evidence[-1]["receipt"] == receipt_id
    assert set(Batch.objects.values_list("status", flat=True)) == {Batch.Status.SUBMITTED}


def test_another_installations_events_are_left_out_and_counted() -> None:
    world = make_world(2)
    foreign = {"nd_installation": "somebody-elses"}
    store(world.report(0, "delivered"), world.report(1, "unsubscribe", **foreign))
    store(world.report(1, "bounce", type="bounce", **foreign), world.report(1, "delivered"))

    applying.apply_all_waiting()

    assert world.counts() == {"delivered": 2}
    assert WebhookState.objects.get(provider="sendgrid").foreign_events == 2
    assert not Suppression.objects.exists()


def test_a_body_that_cannot_be_read_keeps_none_of_the_others() -> None:
    world = make_world(2)
    store(world.report(0, "delivered"))
    unreadable = inbox.store(BytesIO(b"[{"), provider="sendgrid")
    partly = store(world.report(1, "delivered"), 7)

    applying.apply_all_waiting()

    assert world.counts() == {"delivered": 2}
    assert waiting() == [unreadable]
    assert Alarm.objects.get().code == "receipt_unreadable"
    assert Receipt.objects.get(pk=partly).error == "entry 1 is not an object but int"


def test_receipts_of_two_providers_are_not_mixed(transactions: list[list[int]]) -> None:
    world = make_world(3)
    ids = [store(world.report(reader, "delivered")) for reader in range(3)]
    Receipt.objects.filter(pk=ids[1]).update(provider="gone")

    applying.apply_all_waiting()

    assert transactions == [[ids[0]], [ids[1]], [ids[2]]]
    assert world.counts() == {"delivered": 2}
    assert Receipt.objects.get(pk=ids[1]).error.startswith("there is no provider 'gone'")


def test_what_is_in_memory_together_is_bounded(transactions: list[list[int]], monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world(1)
    ids = [store(*[world.report(0, "open") for _ in range(20)]) for _ in range(4)]
    size = len(bytes(Receipt.objects.get(pk=ids[0]).body))
    monkeypatch.setattr(taking, "MOST_BYTES", 2 * size + size // 2)

    applying.apply_all_waiting()

    assert transactions == [ids[:2], ids[2:]]
    assert not waiting()


def test_one_that_fails_is_set_apart_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world(3)
    first = store(world.report(0, "delivered"))
    broken = store(world.report(1, "delivered"), world.report(1, "spamreport"))
    breaks_for(monkeypatch, "complaint")

    with capture_logs() as logs:
        assert not applying.apply_all_waiting()
    later = store(world.report(2, "delivered"))
    applying.apply_all_waiting()

    assert [entry["event"] for entry in logs] == ["receipts_tried_alone", "receipt_not_applied"]
    assert waiting() == [broken]
    assert Receipt.objects.exclude(applied_at=None).filter(pk__in=[first, later]).count() == 2
    assert world.counts() == {"delivered": 2}


def test_one_that_fails_for_long_is_an_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world(1)
    store(world.report(0, "spamreport"), world.report(0, "spamreport"))
    monkeypatch.setattr(taking, "SET_APART_SECONDS", 0.0)
    with monkeypatch.context() as broken:
        breaks_for(broken, "complaint")
        applying.apply_waiting()
        waiting_reports.look()
        assert not Alarm.objects.exists()
        Receipt.objects.update(received_at=timezone.now() - timedelta(minutes=61))

        applying.apply_waiting()
        waiting_reports.look()
        waiting_reports.look()

        assert Alarm.objects.get(cleared_at=None).message == waiting_reports.MESSAGE
        Alarm.objects.update(cleared_at=timezone.now())
        waiting_reports.look()
        assert not Alarm.objects.filter(cleared_at=None).exists()
        Alarm.objects.update(raised_at=timezone.now() - timedelta(hours=25))
        waiting_reports.look()

    assert Alarm.objects.filter(cleared_at=None).exists()
    applying.apply_waiting()
    waiting_reports.look()
    assert not Alarm.objects.filter(cleared_at=None).exists()


def test_one_that_failed_is_tried_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world(1)
    store(world.report(0, "spamreport"))
    monkeypatch.setattr(taking, "SET_APART_SECONDS", 0.0)
    with monkeypatch.context() as broken:
        breaks_for(broken, "complaint")
        with capture_logs() as logs:
            assert applying.apply_waiting()
    assert world.counts() == {}
    assert [entry["event"] for entry in logs] == ["receipt_not_applied"]

    assert applying.apply_waiting()

    assert world.counts() == {"complained": 1}


def test_receipts_that_cannot_be_looked_for_are_not_asked_for_in_circles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking, "waiting", mock.Mock(side_effect=OperationalError("statement timeout")))

    with capture_logs() as logs:
        assert not applying.apply_all_waiting()

    assert [entry["event"] for entry in logs] == ["receipts_not_applied"]


def test_a_worker_turns_to_something_else_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking, "MOST_RECEIPTS", 1)
    world = make_world(3)
    ids = [store(world.report(reader, "delivered")) for reader in range(3)]

    assert applying.apply_all_waiting(seconds=-1)

    assert waiting() == ids[1:]


@pytest.mark.parametrize(
    ("losses", "cause", "is_alone", "tries"),
    [
        (3, errors.DeadlockDetected(), True, 4),
        (4, errors.DeadlockDetected(), True, 4),
        (1, errors.DeadlockDetected(), False, 1),
        (1, errors.LockNotAvailable(), True, 1),
    ],
    ids=["three deadlocks", "four deadlocks", "within another transaction", "another failure"],
)
def test_who_loses_deadlocks_again_and_again_gives_up_at_last(
    losses: int, cause: Exception, is_alone: bool, tries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried, done = [], (applying.Applied(new=1), [])

    def apply(receipt_ids: list[int]) -> Any:
        tried.append(receipt_ids)
        if len(tried) <= losses:
            raise OperationalError from cause
        return done

    monkeypatch.setattr(applying, "_apply", apply)
    monkeypatch.setattr(transaction, "get_autocommit", lambda: is_alone)

    if losses < tries:
        assert applying.apply_receipt(1).new == 1
    else:
        with pytest.raises(OperationalError):
            applying.apply_receipt(1)
    assert len(tried) == tries


def test_reports_are_kept_though_how_fast_mail_leaves_cannot_be_learnt(monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world()
    monkeypatch.setattr(applying.deferrals, "learn", mock.Mock(side_effect=DatabaseError("disk full")))

    assert deliver(world.report(0, "delivered")).marked == 1

    assert world.counts() == {"delivered": 1}


def test_of_many_entries_that_are_none_the_first_are_named() -> None:
    assert deliver(*range(7)).error == "7 entries are not events: " + "; ".join(
        f"entry {number} is not an object but int" for number in range(5)
    )


@pytest.mark.django_db(transaction=True)
def test_a_session_that_is_ended_in_the_middle_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world(4)
    for reader in range(4):
        store(world.report(reader, "delivered"), world.report(reader, "bounce", type="bounce"))
    before, carry_out = state(), applying.carry_out

    def ended(events: list[Any]) -> None:
        carry_out(events)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(applying, "carry_out", ended)
        applying.apply_all_waiting()

    assert state() == before
    assert len(waiting()) == 4
    taking._set_apart.clear()
    applying.apply_all_waiting()
    assert world.counts() == {"delivered": 4, "bounced": 4}
    assert not waiting()


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_sets_nothing_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world(2)
    for reader in range(2):
        store(world.report(reader, "delivered"))

    def away(events: list[Any]) -> None:
        connection.close()
        raise OperationalError("the database is starting up")

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(applying, "carry_out", away)
        meanwhile.setattr(connection, "connect", mock.Mock(side_effect=OperationalError("the database is starting up")))
        with capture_logs() as logs:
            assert not applying.apply_all_waiting()

    assert [entry["event"] for entry in logs] == ["receipts_not_applied"], "it is told once, not of each receipt"
    assert applying.apply_waiting()
    assert world.counts() == {"delivered": 2}


@pytest.mark.django_db(transaction=True)
def test_workers_that_take_all_that_waits_share_it_and_count_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking, "MOST_RECEIPTS", 3)
    worlds = [make_world(10) for _ in range(2)]
    reports = [report for world in worlds for reader in range(10) for report in _of(world, reader)]
    shuffled = random.Random(11)
    for _ in range(20):
        store(*shuffled.sample(reports, 40))
    store(*reports)

    def work() -> None:
        try:
            applying.apply_all_waiting(seconds=60)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        for future in [pool.submit(work) for _ in range(4)]:
            future.result()
    applying.apply_all_waiting()

    assert not waiting()
    assert [world.counts() for world in worlds] == [{"delivered": 10, "opened": 10, "complained": 10}] * 2
    assert [world.heard() for world in worlds] == [10] * 2
    assert Event.objects.count() == len(reports)


def _of(world: World, reader: int) -> list[dict[str, Any]]:
    return [world.report(reader, event) for event in ("processed", "delivered", "open", "spamreport")]
