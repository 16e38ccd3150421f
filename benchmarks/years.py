"""What two years of weekly sends cost: each thing in the second week and after two years, in one run.

    python benchmarks/years.py [--readers 20000] [--weeks 104] [--rounds 5]

A week is a send to everybody: deliveries, one exclusion in a hundred, and events (everybody's delivery, three in ten opens, one click in
twenty). Weeks of the past are written by set-based statements; the measured sends are prepared by `tasks.preparation.preparing.prepare`
with a frequency cap that has one earlier send to count, and their receipts are applied by `tasks.feedback.applying`. Between the two the
nightly upkeep of the tables runs, as beat has it. Of each round the processor's time that this thread and the database's process took (and
the clock's) is noted; the medians count. What is asked covers the same weeks both times, but for a reader's history, which has a row for
each send. Vacuum is that of all deliveries' tables with dead rows, after the receipts of a week; autovacuum is off, and so is parallel work.

Targets: two years cost at most 1.2 times the second week; a million deliveries take 90 MB (10⁶ bytes, with indexes).
"""

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.support import editions, homes

if TYPE_CHECKING:
    from subscribers.models import List
    from tasks.models import Send

TARGET, TARGET_MB = 1.2, 90
BATCH = 1000
EVENTS_IN_A_RECEIPT, RECEIPTS = 1500, 4
LOOKED_AT = 50
RULES = {
    "segment: opened the last edition": {"field": "opened", "op": "within_editions", "value": 1},
    "segment: clicked within 8 days": {"field": "clicked", "op": "within_days", "value": 8},
}
#: Bits of `Delivery.Seen`: processed, delivered and heard of; opened, clicked.
DELIVERIES = """
INSERT INTO tasks_delivery (send_id, subscriber_id, batch_id, seen)
SELECT %(send)s, id, %(batch)s + (row_number() OVER (ORDER BY id) - 1) / 1000,
       515 + CASE WHEN hashint8(id * 7919 + %(send)s) %% 10 IN (0, 1, 2) THEN 32 ELSE 0 END
           + CASE WHEN hashint8(id * 104729 + %(send)s) %% 20 = 0 THEN 64 ELSE 0 END
  FROM subscribers_subscriber WHERE id %% 100 <> 1 ORDER BY id
"""
EXCLUSIONS = """
INSERT INTO tasks_exclusion (send_id, subscriber_id, kind, reason, attempt)
SELECT %(send)s, id, 'excluded', 'unsubscribed', 0 FROM subscribers_subscriber WHERE id %% 100 = 1
"""
EVENTS = """
INSERT INTO tasks_event (key, send_id, subscriber_id, kind, at, url, agent)
SELECT decode(md5(kind || subscriber_id || '.' || send_id), 'hex'), send_id, subscriber_id, kind, %(at)s, url, agent
  FROM tasks_delivery d
 CROSS JOIN LATERAL (VALUES (2, 'delivered', '', ''), (32, 'opened', '', 'Mozilla/5.0 (Windows NT 10.0; Win64; x64)'),
                            (64, 'clicked', 'https://example.com/' || subscriber_id %% 12, 'Mozilla/5.0 (Windows NT 10.0; Win64; x64)'))
       AS e (bit, kind, url, agent)
 WHERE d.send_id = %(send)s AND d.seen & e.bit <> 0
"""
SIZES = """
WITH parts AS (
    SELECT relid FROM pg_partition_tree('tasks_{table}') UNION SELECT 'tasks_{table}'::regclass
)
SELECT sum(pg_total_relation_size(relid)), (SELECT count(*) FROM tasks_{table}) FROM parts
"""


def execute(sql: str, **params: Any) -> list[tuple[Any, ...]]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(sql, params or None)
        return cursor.fetchall() if cursor.description else []


def new_send(everybody: "List", **fields: Any) -> "Send":
    from django.utils import timezone

    from composer.models import Approval, Edition, Variant
    from tasks.models import Send

    edition = Edition.objects.create(publication=everybody.publication, title="The week in rivers")
    approval = Approval.objects.create(edition=edition, content_hash="0" * 64, timezone="UTC")
    Variant.objects.create(approval=approval, position=0, audiences=[[]], stories=3, html="<p>x</p>", text="x")
    send = Send.objects.create(approval=approval, edition=edition, **{"scheduled_at": timezone.now(), **fields})
    send.lists.set([everybody])
    return send


def load(readers: int) -> "List":
    publication = editions.publication()
    everybody = editions.fill_list(publication, editions.LIST, readers)
    execute("UPDATE subscribers_subscription SET status = 'unsubscribed' WHERE subscriber_id %% 100 = %(one)s", one=1)
    publication.frequency_cap, publication.frequency_days = 3, 8
    publication.save()
    return everybody


def past_send(everybody: "List", weeks_ago: int) -> None:
    from django.utils import timezone

    from tasks.models import Batch

    at = timezone.now() - timedelta(weeks=weeks_ago)
    send = new_send(everybody, scheduled_at=at, created_at=at, prepared_at=at, finished_at=at, status="sent")
    variant = send.approval.variants.get()
    wanted = everybody.subscriptions.filter(status="active").count()
    batches = [
        Batch(send=send, variant=variant, size=min(BATCH, wanted - first), status="submitted", tracked=True)
        for first in range(0, wanted, BATCH)
    ]
    first = Batch.objects.bulk_create(batches)[0]
    execute(DELIVERIES, send=send.pk, batch=first.pk)
    execute(EXCLUSIONS, send=send.pk)
    execute(EVENTS, send=send.pk, at=at)


def prepared(everybody: "List", note: "Noting") -> "Send":
    from tasks.preparation import preparing

    send = new_send(everybody)
    execute("CHECKPOINT")
    note("prepare, with a frequency cap", lambda: preparing.prepare(send.pk))
    # As autovacuum does within the minute where a good part of a table is new.
    execute("ANALYZE tasks_delivery, tasks_batch")
    return send


def apply_receipts(send: "Send", note: "Noting") -> None:
    """All that is reported of some readers of the send, in receipts as large as SendGrid's."""
    from tasks.feedback import applying
    from tasks.models import Attempt, Delivery, Receipt

    attempts = {
        batch.pk: Attempt.objects.create(
            id=uuid4(), batch=batch, number=1, size=batch.size, transport="sendgrid:bench", outcome="accepted"
        )
        for batch in send.batches.all()
    }
    send.batches.update(status="submitted", attempts=1)
    members = Delivery.objects.filter(send_id=send.pk).order_by("subscriber_id")
    reports = [
        {
            "email": f"reader{member.subscriber_id}@example.com",
            "timestamp": int(time.time()),
            "event": kind,
            "sg_event_id": uuid4().hex,
            "sg_message_id": "LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0",
            "nd_delivery": f"{send.pk}.{member.subscriber_id}",
            "nd_attempt": str(attempts[member.batch_id].pk),
        }
        for member in members[: RECEIPTS * EVENTS_IN_A_RECEIPT // 2]
        for kind in ("processed", "delivered")
    ]
    for first in range(0, len(reports), EVENTS_IN_A_RECEIPT):
        body = json.dumps(reports[first : first + EVENTS_IN_A_RECEIPT]).encode()
        receipt = Receipt.objects.create(provider="sendgrid", body=body)
        note(f"apply {EVENTS_IN_A_RECEIPT} events", lambda pk=receipt.pk: applying.apply_receipt(pk))


def vacuum(note: "Noting") -> None:
    """As autovacuum would, of the tables that have dead rows."""
    execute("SELECT pg_stat_force_next_flush()")
    parts = "SELECT relid FROM pg_partition_tree('tasks_delivery') WHERE isleaf UNION SELECT 'tasks_delivery'::regclass"
    dead = execute(f"SELECT relid::regclass::text FROM pg_stat_user_tables WHERE relid IN ({parts}) AND n_dead_tup > 0")
    assert dead
    note("vacuum of the deliveries", lambda: [execute(f"VACUUM {table}") for (table,) in dead])


def measure(everybody: "List", rounds: int) -> "Noting":
    from django.utils import timezone

    from subscribers.saved_segments import count_readers
    from tasks.models import Send
    from tasks.sends import recipient_report
    from tasks.sends.counts import counts
    from tasks.sends.reader_history import history

    note = Noting()
    lookups = [pk for (pk,) in execute(f"SELECT id FROM subscribers_subscriber ORDER BY id LIMIT {LOOKED_AT}")]
    execute("VACUUM (ANALYZE)")
    for _ in range(rounds):
        for name, rule in RULES.items():
            note(name, lambda rule=rule: count_readers(everybody.publication_id, rule))
        note(f"history of {LOOKED_AT} readers", lambda: [history(pk) for pk in lookups])
        send = prepared(everybody, note)
        note("counts", lambda send=send: counts(send))
        note("recipient report", lambda send=send: recipient_report.write(send.pk, lambda _: None))
        apply_receipts(send, note)
        vacuum(note)
        # It was before the weeks that anything counts.
        past = timezone.now() - timedelta(weeks=110)
        Send.objects.filter(pk=send.pk).update(status="sent", prepared_at=past, scheduled_at=past, finished_at=past)
    return note


class Noting:
    """Seconds of the processor, and of the clock, of each thing done."""

    def __init__(self) -> None:
        self.processor: dict[str, list[float]] = defaultdict(list)
        self.clock: dict[str, list[float]] = defaultdict(list)

    def __call__(self, name: str, work: Callable[[], object]) -> None:
        began, own, database = time.perf_counter(), time.thread_time(), _database_seconds()
        work()
        self.processor[name].append(_database_seconds() - database + time.thread_time() - own)
        self.clock[name].append(time.perf_counter() - began)


def _database_seconds() -> float:
    from django.db import connection

    connection.ensure_connection()
    return int(Path(f"/proc/{connection.connection.info.backend_pid}/schedstat").read_text().split()[0]) / 1e9


def sizes() -> None:
    for table in ("delivery", "exclusion", "event"):
        ((size, rows),) = execute(SIZES.format(table=table))
        print(f"{table}: {rows} rows, {float(size) / max(rows, 1):.1f} MB a million", flush=True)


def upkeep() -> None:
    """What beat does with the tables, as often as it finds something."""
    from tasks.database import partitions

    while (began := time.perf_counter()) and (sealed := partitions.keep().sealed):
        print(f"sealed {sealed} in {time.perf_counter() - began:.1f} s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readers", type=int, default=20_000)
    parser.add_argument("--weeks", type=int, default=104)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with homes.engines():
        from tasks import queue

        queue.enqueue_batch = lambda *_, **__: True
        queue.enqueue_worker_loop = lambda *_, **__: True
        execute("ALTER SYSTEM SET autovacuum = off")
        execute("SELECT pg_reload_conf()")
        execute("SET max_parallel_workers_per_gather = 0")
        everybody = load(options.readers)
        past_send(everybody, 1)
        first = measure(everybody, options.rounds)
        sizes()
        began = time.perf_counter()
        for week in range(options.weeks, 1, -1):
            past_send(everybody, week)
        # Last week's is the newest.
        long_ago = "prepared_at = now() - interval '110 weeks', finished_at = now() - interval '110 weeks'"
        execute(f"UPDATE tasks_send SET {long_ago} WHERE prepared_at > now() - interval '8 days'")
        past_send(everybody, 1)
        print(f"{options.weeks} weeks written in {time.perf_counter() - began:.0f} s", flush=True)
        began = time.perf_counter()
        upkeep()
        print(f"upkeep in {time.perf_counter() - began:.0f} s", flush=True)
        last = measure(everybody, options.rounds)
        sizes()
        for name in first.processor:
            then, now = (statistics.median(one.processor[name]) for one in (first, last))
            then_clock, now_clock = (statistics.median(one.clock[name]) for one in (first, last))
            print(
                f"{name:36} processor {1000 * then:7.1f} and {1000 * now:7.1f} ms, ratio {now / then:5.2f};"
                f" clock {1000 * then_clock:7.1f} and {1000 * now_clock:7.1f} ms"
            )
        print(
            f"{options.readers} readers, {options.weeks} weeks, {options.rounds} rounds · Python {platform.python_version()},"
            f" {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; targets {TARGET} and {TARGET_MB} MB a million"
        )


if __name__ == "__main__":
    main()
