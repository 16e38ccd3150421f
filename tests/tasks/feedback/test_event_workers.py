"""Several workers at once, and workers that die on the way."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any
from unittest import mock

import orjson
import pytest
from django.db import OperationalError, connection, transaction
from structlog.testing import capture_logs

from tasks.feedback import applying, inbox
from tasks.models import Batch, Event, Receipt
from tests.reports import make_world, state, suppressions
from tests.tasks.lock_waits import waiting_for_locks
from tests.waiting import LONG, eventually

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
        BytesIO(orjson.dumps([world.report(reader, "delivered") for reader in range(20)])), provider="sendgrid"
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
    ids = [inbox.store(BytesIO(orjson.dumps(shuffled.sample(reports, 300))), provider="sendgrid") for _ in range(12)]
    ids.append(inbox.store(BytesIO(orjson.dumps(reports)), provider="sendgrid"))

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
        BytesIO(orjson.dumps([world.report(reader, "delivered") for reader in range(5)])), provider="sendgrid"
    )
    before = state()

    with (
        mock.patch.object(applying, "carry_out", side_effect=OperationalError("server closed the connection")),
        pytest.raises(OperationalError),
    ):
        applying.apply_receipt(receipt_id)

    assert state() == before
    assert applying.apply_receipt(receipt_id).marked == 5


def test_a_receipt_that_loses_a_deadlock_is_applied_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three batches, locked in their order: the worker has the first and waits for the second.

    Another transaction has the third and waits for the first. Only then is the second free: what the worker waits for
    next closes the circle. PostgreSQL asks once for each wait, after deadlock_timeout, whether there is a circle; so the
    worker's last wait finds it, and it gives way, however slow the machine is.
    """
    first, second, third = worlds = [make_world() for _ in range(3)]
    receipt_id = inbox.store(
        BytesIO(orjson.dumps([world.report(0, "delivered") for world in worlds])), provider="sendgrid"
    )
    apply, tries, other_has_the_first = applying._apply, [], threading.Event()

    def apply_again_later(*args: Any) -> applying.Applied:
        tries.append(args)
        # Else it could take the first batch again before the other has woken up, and lose once more.
        assert len(tries) == 1 or other_has_the_first.wait(LONG)
        return apply(*args)

    def worker() -> applying.Applied:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET deadlock_timeout = '10ms'")
            return applying.apply_receipt(receipt_id)
        finally:
            connection.close()

    def other() -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL deadlock_timeout = '1h'")
                _lock(third.batch)
                other_has_the_third.set()
                assert worker_has_the_first.wait(LONG)
                _lock(first.batch)
            other_has_the_first.set()
        finally:
            connection.close()

    other_has_the_third, worker_has_the_first = threading.Event(), threading.Event()
    monkeypatch.setattr(applying, "_apply", apply_again_later)
    with ThreadPoolExecutor(2) as pool, capture_logs() as logs:
        with transaction.atomic():
            _lock(second.batch)
            locking_others = pool.submit(other)
            assert other_has_the_third.wait(LONG)
            applying_it = pool.submit(worker)
            assert eventually(lambda: waiting_for_locks() == 1), "the worker does not wait for the second"
            worker_has_the_first.set()
            assert eventually(lambda: waiting_for_locks() == 2), "the other does not wait for the first"
        applied = applying_it.result(LONG)
        locking_others.result(LONG)

    assert applied.marked == 3
    assert [entry["event"] for entry in logs] == ["receipt_tried_again"]
    assert Batch.objects.filter(delivered=1).count() == 3


def _lock(batch: Batch) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM tasks_batch WHERE id = %s FOR UPDATE", [batch.pk])
