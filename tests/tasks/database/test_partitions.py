"""A send always finds its partition; what is over takes less room and answers as before."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from tasks import celery_tasks
from tasks.database import partitions
from tasks.feedback.flags import mark_unsubscribed
from tasks.models import Delivery, Exclusion, Send
from tasks.reconciliation import decisions
from tasks.sends import recipient_report
from tasks.sends.counts import counts
from tasks.sends.reader_history import history
from tests import factories
from tests.tasks.lock_waits import waiting_for_locks
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

OVER = {"status": "sent", "finished_at": timezone.now() - timedelta(days=20)}


def rows(sql: str, *params: object) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params or None)
        return cursor.fetchall() if cursor.description else []


def next_send_is(number: int) -> None:
    """The next one of the next range of eight."""
    rows("SELECT setval('tasks_send_id_seq', %s, false)", number)


def parts() -> set[str]:
    return {
        name for (name,) in rows("SELECT relid::regclass::text FROM pg_partition_tree('tasks_delivery') WHERE isleaf")
    }


def report(send_id: int) -> bytes:
    pieces: list[bytes] = []
    recipient_report.write(send_id, lambda piece: pieces.append(bytes(piece)))
    return b"".join(pieces)


@pytest.fixture
def over() -> list[Send]:
    """A whole range of sends that are over, each to the same readers, and one of the next range."""
    next_send_is(4000)
    readers_list = factories.make_list(factories.make_approval().edition.publication)
    first = factories.make_prepared_send(30, lists=[readers_list])
    sends = [first, *(factories.make_prepared_send(0, lists=[readers_list]) for _ in range(7))]
    factories.make_send()
    rows("UPDATE tasks_delivery SET seen = 3 WHERE send_id = %s", first.pk)
    left = Delivery.objects.filter(send_id=first.pk).values_list("subscriber_id", flat=True)[5]
    Exclusion.objects.create(send_id=first.pk, subscriber_id=left, kind="excluded", reason="unsubscribed", attempt=1)
    Send.objects.filter(pk__lt=4008).update(**OVER)
    Send.objects.filter(pk=4008).update(status="cancelled", created_at=timezone.now() - timedelta(days=2))
    assert [send.pk for send in sends] == list(range(4000, 4008))
    return sends


def test_a_send_brings_its_partition_whoever_makes_it() -> None:
    next_send_is(8000)
    assert "tasks_delivery_8000" not in parts()

    send = factories.make_prepared_send(2)

    assert send.pk == 8000
    assert rows("SELECT count(*) FROM tasks_delivery_8000") == [(2,)]
    factories.make_prepared_send(1)
    assert parts() & {"tasks_delivery_8000", "tasks_delivery_8008"} == {"tasks_delivery_8000"}


def test_partitions_are_made_ahead_once() -> None:
    next_send_is(8003)

    celery_tasks.keep_partitions()

    ahead = {f"tasks_delivery_{low}" for low in (8000, 8008, 8016, 8024, 8032)}
    assert parts() == {"tasks_delivery_first", *ahead}
    assert partitions.make_ahead() == 0


def test_a_sealed_partition_says_the_same_in_less_room(over: list[Send]) -> None:
    send = over[0]
    reader = Delivery.objects.filter(send_id=send.pk).values_list("subscriber_id", flat=True)[0]

    def answers() -> tuple[object, ...]:
        rows_of_all = list(Delivery.objects.order_by("send_id", "subscriber_id").values())
        return report(send.pk), counts(send), history(reader), rows_of_all

    before = answers()

    assert partitions.seal_one() == "tasks_delivery_4000"

    assert answers() == before
    assert len(before[2]) == 8
    indexes = {name for (name,) in rows("SELECT indexname FROM pg_indexes WHERE tablename = 'tasks_delivery_4000'")}
    assert indexes == {"tasks_delivery_4000_reader", "tasks_delivery_4000_send"}
    assert partitions.seal_one() == ""


def test_late_reports_still_find_their_delivery(over: list[Send]) -> None:
    partitions.seal_one()
    reader = Delivery.objects.filter(send_id=over[3].pk).values_list("subscriber_id", flat=True)[0]

    assert mark_unsubscribed(over[3].pk, reader)

    marked = Delivery.objects.filter(seen=Delivery.Seen.UNSUBSCRIBED)
    assert list(marked.values_list("send_id", "subscriber_id")) == [(over[3].pk, reader)]
    assert counts(over[3]).unsubscribed == 1


def test_nothing_is_added_to_what_is_sealed(over: list[Send]) -> None:
    partitions.seal_one()

    with pytest.raises(IntegrityError, match="send 4002 is over"), transaction.atomic():
        Delivery.objects.create(send_id=4002, subscriber_id=1, batch_id=1)


@pytest.mark.parametrize(
    ("which", "change"),
    [
        (4005, {"status": "paused"}),
        (4005, {"finished_at": timezone.now() - timedelta(days=13)}),
        (4008, {"created_at": timezone.now()}),
        (4008, {"status": "sending"}),
        (4008, {"status": "scheduled", "scheduled_at": timezone.now() + timedelta(minutes=20)}),
    ],
    ids=[
        "one of its sends waits",
        "one is young",
        "a send of it may not be committed yet",
        "another is being sent",
        "another is due soon",
    ],
)
def test_it_is_not_sealed_yet(over: list[Send], which: int, change: dict[str, Any]) -> None:
    Send.objects.filter(pk=which).update(**change)

    assert partitions.seal_one() == ""


def test_what_a_person_left_in_doubt_keeps_nothing_open(over: list[Send]) -> None:
    """Such a send is `sending` for good; others were never sealed any more because of it."""
    batch = factories.make_batch(Send.objects.get(pk=4008), status="unknown", attempts=1)
    Send.objects.filter(pk=4008).update(status="sending")
    assert partitions.seal_one() == ""

    assert decisions.leave(batch.pk, who="ada")

    assert partitions.seal_one() == "tasks_delivery_4000"


@pytest.mark.django_db(transaction=True)
def test_who_reads_it_is_not_disturbed(another: Any, over: list[Send]) -> None:
    another.execute("SELECT count(*) FROM tasks_delivery_4000")

    assert partitions.seal_one() == ""

    assert "tasks_delivery_4000_pkey" in {name for (name,) in rows("SELECT indexname FROM pg_indexes")}


@pytest.mark.django_db(transaction=True)
def test_who_vacuums_a_partition_keeps_no_send_from_going_out(another: Any) -> None:
    send = factories.make_prepared_send(2)
    another.execute("LOCK TABLE tasks_delivery_first IN SHARE UPDATE EXCLUSIVE MODE")

    partitions.count_for(send.pk)

    another.connection.rollback()
    partitions.count_for(send.pk)
    assert rows("SELECT reltuples FROM pg_class WHERE relname = 'tasks_delivery_first'") == [(2,)]


@pytest.mark.django_db(transaction=True)
def test_a_new_partition_waits_for_nobody_who_reads_writes_or_vacuums(another: Any) -> None:
    batch = factories.make_batch()
    factories.make_delivery(batch)
    another.execute("UPDATE tasks_delivery SET seen = 1")
    another.execute("SELECT count(*) FROM tasks_exclusion")
    # As vacuum has it for as long as it takes.
    another.execute("LOCK TABLE tasks_delivery_first IN SHARE UPDATE EXCLUSIVE MODE")

    rows("SET lock_timeout = '5s'")
    rows("SELECT tasks_partition_for(9000)")

    assert "tasks_delivery_9000" in parts()


@pytest.mark.django_db(transaction=True)
def test_of_two_who_make_it_one_finds_it_made(another: Any) -> None:
    made: list[bool] = []

    def make() -> None:
        try:
            made.extend(value for (value,) in rows("SELECT tasks_partition_for(9001)"))
        finally:
            connection.close()

    another.execute("SELECT tasks_partition_for(9000)")
    second = threading.Thread(target=make)
    second.start()
    eventually(lambda: waiting_for_locks("tasks_partition_for") == 1)
    another.connection.commit()
    second.join()

    assert made == [False]
    assert "tasks_delivery_9000" in parts()
