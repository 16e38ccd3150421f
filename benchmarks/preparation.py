"""Preparation: freezing a send's audience against one bare INSERT … SELECT, on the same database, turn and turn about.

    python benchmarks/preparation.py [--readers 1000000] [--rounds 5] [--zones 0] [--cap] [--tracking]

The bare loop is one statement in one transaction: it inserts every deliverable reader of the list (active, and on no
suppression that holds for the publication) with a batch number worked out of the reader's id, into a table with the keys,
the index and the fillfactor of tasks_delivery. It makes no batches, states no reasons, checks no sum and sees no other send.
Ours is `tasks.preparation.preparing.prepare` as the worker calls it, without the broker: deliveries, exclusions with their reasons,
batches, the check of the sum, the send's row. Both commit to disk (fsync on). Each turn begins with empty tables
and a checkpoint. Of the readers one in a hundred is unsubscribed, one in a hundred unconfirmed and one in a hundred bounced. The
target is a ratio of 2.0.

`--zones N` makes it a send at the readers' local time, who live in N timezones; the bare loop stays as it is. `--cap` gives the
publication a frequency cap, with an earlier send to everybody within its days. `--tracking` measures something else: a send whose batches
are cut by tracking, to which every other reader has agreed, against the same send with nobody tracked. Target: at most 1.05 times as long.
"""

import argparse
import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

sys.path.insert(0, str(Path(__file__).parent.parent))

if TYPE_CHECKING:
    from tasks.models import Send

TARGET = 2.0
PUBLICATION = {
    "slug": "weekly",
    "title": "The Weekly",
    "from_name": "The Weekly",
    "from_email": "news@example.com",
    "postal_address": "1 Main Street, Singapore 018956",
}
LOAD = (
    """
    INSERT INTO subscribers_subscriber (email, name, language, timezone, attributes, tags)
    SELECT 'reader' || n || '@example.com', 'Reader ' || n, '',
           (%(zones)s::text[])[1 + n %% cardinality(%(zones)s::text[])], '{}', '{}'
      FROM generate_series(1, %(readers)s) AS n
    """,
    """
    INSERT INTO subscribers_subscription (subscriber_id, list_id, status)
    SELECT id, %(list)s, CASE id %% 100 WHEN 1 THEN 'unsubscribed' WHEN 2 THEN 'pending' ELSE 'active' END
      FROM subscribers_subscriber ORDER BY id
    """,
    """
    INSERT INTO subscribers_suppression (address, reason, detail)
    SELECT lower(email), 'hard_bounce', '' FROM subscribers_subscriber WHERE id %% 100 = 3 AND %(list)s > 0
    """,
)
BARE_TABLE = (
    "CREATE TABLE bare_delivery (LIKE tasks_delivery INCLUDING DEFAULTS INCLUDING CONSTRAINTS) WITH (fillfactor = 50)",
    "ALTER TABLE bare_delivery ADD PRIMARY KEY (send_id, subscriber_id)",
    "CREATE INDEX bare_delivery_batch ON bare_delivery (batch_id)",
)
BARE = """
INSERT INTO bare_delivery (send_id, subscriber_id, batch_id)
SELECT 1, n.subscriber_id, n.subscriber_id / 1000
  FROM subscribers_subscription n
 WHERE n.list_id = %s AND n.status = 'active'
   AND NOT EXISTS (SELECT 1 FROM subscribers_suppression x JOIN subscribers_subscriber s ON lower(s.email) = x.address
                    WHERE s.id = n.subscriber_id AND (x.publication_id IS NULL OR x.publication_id = %s))
"""


def execute(*statements: str, **params: Any) -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement, params or None)
        return int(cursor.rowcount)


def load(readers: int, zones: int) -> "Send":
    """Readers, a list, and an approved edition with a send of it that is due."""
    from django.utils import timezone

    from composer.models import Approval, Edition, Publication, Variant
    from subscribers.models import List
    from tasks.models import Send

    publication = Publication.objects.create(**PUBLICATION)
    everybody = List.objects.create(publication=publication, slug="readers", name="Readers")
    named = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc/"))
    chosen = named[:: len(named) // zones][:zones] if zones else [""]
    for statement in LOAD:
        execute(statement, readers=readers, zones=chosen, list=everybody.pk)
    execute(*BARE_TABLE)
    execute("VACUUM ANALYZE")
    edition = Edition.objects.create(publication=publication, title="The week in rivers")
    request = {"tracking": True, "track_unknown": False}
    approval = Approval.objects.create(edition=edition, content_hash="0" * 64, timezone="UTC", request=request)
    Variant.objects.create(approval=approval, position=0, audiences=[[]], stories=3, html="<p>x</p>", text="x")
    local = (timezone.now() + timedelta(days=2)).replace(tzinfo=None, microsecond=0).isoformat() if zones else ""
    send = Send.objects.create(approval=approval, edition=edition, scheduled_at=timezone.now(), local_at=local)
    send.lists.set([everybody])
    return send


def an_earlier_send(send: "Send") -> None:
    """A cap that nobody has reached, and a send to everybody that has to be counted for it."""
    from django.utils import timezone

    from composer.models import Approval, Edition, Publication, Variant
    from tasks.models import Send
    from tasks.preparation import preparing

    publication = send.edition.publication
    edition = Edition.objects.create(publication=publication, title="The week before")
    approval = Approval.objects.create(edition=edition, content_hash="0" * 64, timezone="UTC")
    Variant.objects.create(approval=approval, position=0, audiences=[[]], stories=3, html="<p>x</p>", text="x")
    earlier = Send.objects.create(approval=approval, edition=edition, scheduled_at=timezone.now())
    earlier.lists.set(send.lists.all())
    assert preparing.prepare(earlier.pk)
    Publication.objects.update(frequency_cap=2, frequency_days=7)


def bare(send: "Send") -> int:
    from django.db import transaction

    with transaction.atomic(), transaction.get_connection().cursor() as cursor:
        cursor.execute(BARE, [send.lists.get().pk, send.edition.publication_id])
        return int(cursor.rowcount)


def ours(send: "Send") -> int:
    from tasks.preparation import preparing

    prepared = preparing.prepare(send.pk)
    assert prepared is not None
    return prepared.deliveries


def with_nobody_tracked(send: "Send") -> int:
    from tasks.audience import freezing, tracking

    asking = freezing.tracked_readers
    freezing.tracked_readers = lambda *_: tracking.NOBODY
    try:
        return ours(send)
    finally:
        freezing.tracked_readers = asking


def compare_tracking(options: argparse.Namespace, send: "Send") -> None:
    """Turn and turn about; the best of each by the wall clock and by the processor time of the database's process."""
    execute("UPDATE subscribers_subscriber SET tracking = 'granted' WHERE id % 2 = 0", "VACUUM ANALYZE")
    assert seconds(with_nobody_tracked, send)[1] == seconds(ours, send)[1]
    best = {with_nobody_tracked: (inf, inf), ours: (inf, inf)}
    for _ in range(options.rounds):
        for work, (least, least_of_database) in best.items():
            before = database_seconds()
            took, _rows = seconds(work, send)
            best[work] = min(least, took), min(least_of_database, database_seconds() - before)
        print(
            "; ".join(
                f"{work.__name__}: {best[work][0]:.2f} s, of the database {best[work][1]:.3f} s" for work in best
            ),
            flush=True,
        )
    ratios = [cut / untracked for cut, untracked in zip(best[ours], best[with_nobody_tracked], strict=True)]
    print(
        f"ratio {ratios[0]:.2f} by the clock, {ratios[1]:.2f} by the database's processor time (target 1.05, or less)"
    )
    print(f"{options.readers} readers, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")


def database_seconds() -> float:
    """Processor time so far of the process that serves our connection, but not of those that help it. Linux."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (process,) = cursor.fetchone()
    return int(Path(f"/proc/{process}/schedstat").read_text().split()[0]) / 1e9


def reset(send: "Send") -> None:
    from tasks.models import Send

    # What an earlier send delivered stays: its rows have to be looked at.
    execute("TRUNCATE bare_delivery")
    if Send.objects.exclude(pk=send.pk).exists():
        for table in ("delivery", "exclusion", "batch"):
            execute(f"DELETE FROM tasks_{table} WHERE send_id = %(send)s", send=send.pk)
            execute(f"VACUUM tasks_{table}")
    else:
        execute("TRUNCATE tasks_delivery, tasks_exclusion, tasks_batch, tasks_attempt")
    Send.objects.filter(pk=send.pk).update(status="scheduled", prepared_at=None, excluded={}, candidates=0)
    execute("CHECKPOINT")


def seconds(work: "Callable[[Send], int]", send: "Send") -> tuple[float, int]:
    reset(send)
    began = time.perf_counter()
    rows = work(send)
    return time.perf_counter() - began, rows


def measure(options: argparse.Namespace) -> None:
    from tasks import queue
    from tasks.models import Batch
    from tasks.preparation import preparing

    queue.enqueue_batch = lambda *_, **__: True
    send = load(options.readers, options.zones)
    if options.cap:
        an_earlier_send(send)
    if options.tracking:
        compare_tracking(options, send)
        return
    # Once each for the caches, uncounted.
    assert seconds(bare, send)[1] == seconds(ours, send)[1]
    of_bare, of_ours = [], []
    for _ in range(options.rounds):
        of_bare.append(seconds(bare, send)[0])
        of_ours.append(seconds(ours, send)[0])
        print(f"bare {of_bare[-1]:.2f} s, ours {of_ours[-1]:.2f} s, ratio {of_ours[-1] / of_bare[-1]:.2f}", flush=True)
    middle_bare, middle_ours = statistics.median(of_bare), statistics.median(of_ours)
    print(
        f"medians: bare {middle_bare:.2f} s, ours {middle_ours:.2f} s, ratio {middle_ours / middle_bare:.2f}"
        f" (target {TARGET}, or less); {Batch.objects.filter(send=send).count()} batches"
    )
    version = preparing.connection.pg_version
    print(
        f"{options.readers} readers, {options.zones or 'no'} zones · PostgreSQL {version // 10000}, Python"
        f" {platform.python_version()}, {os.cpu_count()} cores, {platform.system()}, load {os.getloadavg()[0]:.1f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readers", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--zones", type=int, default=0, help="send at the readers' local time in so many zones")
    parser.add_argument("--cap", action="store_true", help="with a frequency cap and an earlier send")
    parser.add_argument("--tracking", action="store_true", help="batches cut by tracking against nobody tracked")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="newsdesk-benchmark-"))
    # For root: the engines' own account must reach its data.
    folder.chmod(0o711)
    for name in ("DATABASE_URL", "REDIS_URL"):
        os.environ.pop(name, None)
    os.environ.update(NEWSDESK_HOME=str(folder / "home"), DJANGO_SETTINGS_MODULE="newsdesk.settings")
    try:
        import django

        django.setup()
        from django.db import connections

        from newsdesk.local_stack.provision import provided

        with provided(database=True, broker=False):
            try:
                measure(options)
            finally:
                connections.close_all()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
