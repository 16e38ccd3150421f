"""Several workers at once, and workers that die on the way."""

import random
import time
from concurrent.futures import ThreadPoolExecutor
from unittest import mock

import orjson
import pytest
from django.db import OperationalError, connection, transaction
from structlog.testing import capture_logs

from tasks.feedback import applying, inbox
from tasks.models import Batch, Event, Receipt
from tests.reports import make_world, state, suppressions

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]


def in_parallel(receipt_ids: list[int], workers: int = 4) -> list[applying.Applied]:
    def work(receipt_id: int) -> applying.Applied:
        try:
            return applying.apply_receipt(receipt_id)
        finally:
            connection.close()

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(work, receipt_ids))


def test_two_workers_with_one_receipt_apply_it_once() -> None:
    world = make_world(20)
    receipt_id = inbox.store(
        orjson.dumps([world.report(reader, "delivered") for reader in range(20)]), provider="sendgrid"
    )

    applied = in_parallel([receipt_id] * 8)

    assert sorted(one.new for one in applied) == [0] * 7 + [20]
    assert world.counts() == {"delivered": 20}


def test_workers_with_overlapping_receipts_count_every_reader_once() -> None:
    worlds = [make_world(25) for _ in range(3)]
    reports = [
        world.report(reader, event, **({"type": "bounce"} if event == "bounce" else {}))
        for world in worlds
        for reader in range(25)
        for event in ("processed", "delivered", "open", "open", "bounce", "unsubscribe")
    ]
    shuffled = random.Random(7)
    ids = [inbox.store(orjson.dumps(shuffled.sample(reports, 300)), provider="sendgrid") for _ in range(12)]
    ids.append(inbox.store(orjson.dumps(reports), provider="sendgrid"))

    in_parallel(ids)

    expected = {"delivered": 25, "opened": 25, "bounced": 25, "unsubscribed": 25}
    assert [world.counts() for world in worlds] == [expected] * 3
    assert [world.heard() for world in worlds] == [25] * 3
    assert Event.objects.count() == len(reports)
    assert len(suppressions()) == 75 * 2
    assert not Receipt.objects.filter(applied_at=None).exists()


def test_a_worker_that_dies_before_its_commit_leaves_nothing() -> None:
    world = make_world(5)
    receipt_id = inbox.store(
        orjson.dumps([world.report(reader, "delivered") for reader in range(5)]), provider="sendgrid"
    )
    before = state()

    with (
        mock.patch.object(applying, "carry_out", side_effect=OperationalError("server closed the connection")),
        pytest.raises(OperationalError),
    ):
        applying.apply_receipt(receipt_id)

    assert state() == before
    assert applying.apply_receipt(receipt_id).marked == 5


def test_a_receipt_that_loses_a_deadlock_is_applied_all_the_same() -> None:
    first, second = make_world(), make_world()
    receipt_id = inbox.store(
        orjson.dumps([first.report(0, "delivered"), second.report(0, "delivered")]), provider="sendgrid"
    )

    def work() -> applying.Applied:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET deadlock_timeout = '800ms'")  # it notices first, and so is the one that gives way
            return applying.apply_receipt(receipt_id)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool, capture_logs() as logs:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL deadlock_timeout = '20s'")
            cursor.execute("SELECT 1 FROM tasks_batch WHERE id = %s FOR UPDATE", [second.batch.pk])
            applying_it = pool.submit(work)
            _wait_until_the_worker_waits()
            cursor.execute("UPDATE tasks_batch SET enqueued_at = now() WHERE id = %s", [first.batch.pk])
        applied = applying_it.result(timeout=10)

    assert applied.marked == 2
    assert [entry["event"] for entry in logs] == ["receipt_tried_again"]
    assert Batch.objects.filter(delivered=1).count() == 2


def _wait_until_the_worker_waits() -> None:
    give_up = time.monotonic() + 5
    while time.monotonic() < give_up:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")  # within a transaction it would stay as first seen
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%FOR NO KEY UPDATE%'"
                " AND pid <> pg_backend_pid() AND datname = current_database()"
            )
            if cursor.fetchone()[0]:
                return
        time.sleep(0.01)
    pytest.fail("the worker does not wait for the batch")
