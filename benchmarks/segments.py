"""How long `count-segment` takes, on readers with two years of weekly editions behind them.

    python benchmarks/segments.py [--readers 1000000] [--weeks 104] [--rounds 3]

Everybody got every edition; each reader opened three in ten of them and followed a link in one of twenty, which ones hangs on the two
numbers. Counted is as the command does it (`subscribers.saved_segments.count_readers`), without its start. Targets: membership of a list at
most 0.1 s a hundred thousand readers; a rule with 200 comparisons at most 1 s on 200,000 readers. A million readers take some 20 GB of disk.
"""

import argparse
import os
import platform
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.support import editions, homes

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper

READERS = """
INSERT INTO subscribers_subscriber (email, name, language, timezone, attributes, tags)
SELECT 'reader' || n || '@example.com', 'Reader ' || n, 'en', '',
       jsonb_build_object('town', 'town ' || n %% 1000, 'age', 18 + n %% 70),
       CASE n %% 9 WHEN 0 THEN ARRAY['member'] ELSE ARRAY[]::varchar[] END
  FROM generate_series(1, %(readers)s) AS n
"""
SUBSCRIPTIONS = """
INSERT INTO subscribers_subscription (subscriber_id, list_id, status)
SELECT id, %(list)s, CASE id %% 100 WHEN 1 THEN 'unsubscribed' ELSE 'active' END FROM subscribers_subscriber ORDER BY id
"""
#: Bits of `Delivery.Seen`: delivered, opened, clicked.
DELIVERIES = """
INSERT INTO tasks_delivery (send_id, subscriber_id, batch_id, seen)
SELECT %(send)s, id, %(batch)s,
       2 + CASE WHEN hashint8(id * 7919 + %(send)s) %% 10 IN (0, 1, 2) THEN 32 ELSE 0 END
         + CASE WHEN hashint8(id * 104729 + %(send)s) %% 20 = 0 THEN 64 ELSE 0 END
  FROM subscribers_subscriber
"""
CLICKS = """
INSERT INTO tasks_event (key, send_id, subscriber_id, kind, at, url, agent)
SELECT decode(md5(id || '.' || %(send)s), 'hex'), %(send)s, id, 'clicked', now(), 'https://example.com/' || %(send)s, ''
  FROM subscribers_subscriber WHERE hashint8(id * 104729 + %(send)s) %% 20 = 0
"""
TOWNS = [{"field": "attributes.town", "op": "eq", "value": f"town {number}"} for number in range(200)]
MIXED = [
    {"field": field, "op": op, "value": f"{word}{number}"}
    for number in range(50)
    for field, op, word in (
        ("attributes.town", "starts_with", "town "), ("email", "contains", "r"), ("name", "ends_with", " "), ("attributes.town", "ne", "town "))
]  # fmt: skip
RULES: dict[str, object] = {
    "everybody on the list": {"field": "lists", "op": "has_any", "value": ["readers"]},
    "a tag": {"field": "tags", "op": "has_any", "value": ["member"]},
    "a number between": {"field": "attributes.age", "op": "between", "value": [30, 40]},
    "opened one of the last four": {"field": "opened", "op": "within_editions", "value": 4},
    "clicked within 90 days": {"field": "clicked", "op": "within_days", "value": 90},
    "never opened": {"field": "opened", "op": "never"},
    "clicked a link, ever": {"field": "clicked_link", "op": "contains", "value": "example.com"},
    "200 towns": {"any": TOWNS},
    "200 comparisons of four kinds": {"any": MIXED},
}


@contextmanager
def bulk_loading(cursor: "CursorWrapper") -> Iterator[None]:
    """Events without a log and without indexes, which are built once, of all rows: reading them is the same then."""
    cursor.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'tasks_event' AND indexname NOT LIKE '%_pkey'"
    )
    indexes = cursor.fetchall()
    cursor.execute("ALTER TABLE tasks_event SET UNLOGGED")
    cursor.execute("ALTER TABLE tasks_event DROP CONSTRAINT tasks_event_pkey")
    for name, _ in indexes:
        cursor.execute(f"DROP INDEX {name}")
    yield
    cursor.execute("SET maintenance_work_mem = '1GB'")
    cursor.execute("ALTER TABLE tasks_event ADD PRIMARY KEY (key)")
    for _, definition in indexes:
        cursor.execute(definition)


def load(readers: int, weeks: int) -> int:
    """The publication's id."""
    from datetime import timedelta

    from django.db import connection
    from django.utils import timezone

    from composer.models import Approval, Edition, Variant
    from subscribers.models import List
    from tasks.database import partitions
    from tasks.models import Batch, Send

    publication = editions.publication()
    readers_list = List.objects.create(publication=publication, slug="readers", name="Readers")
    with connection.cursor() as cursor, bulk_loading(cursor):
        cursor.execute(READERS, {"readers": readers})
        cursor.execute(SUBSCRIPTIONS, {"list": readers_list.pk})
        for week in range(weeks):
            at = timezone.now() - timedelta(weeks=weeks - week)
            edition = Edition.objects.create(publication=publication, title=f"Week {week}")
            approval = Approval.objects.create(edition=edition, content_hash="0" * 64, timezone="UTC")
            variant = Variant.objects.create(
                approval=approval, position=0, audiences=[[]], stories=3, html="x", text="x"
            )
            send = Send.objects.create(
                approval=approval, edition=edition, scheduled_at=at, prepared_at=at, status="sent"
            )
            # One batch for all: how many there are matters to none of these rules.
            batch = Batch.objects.create(send=send, variant=variant, size=1000, status="submitted")
            cursor.execute(DELIVERIES, {"send": send.pk, "batch": batch.pk})
            cursor.execute(CLICKS, {"send": send.pk})
    # As beat does each hour: what is over is sealed.
    while partitions.keep().sealed:
        pass
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return publication.pk


def size() -> str:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_size_pretty(pg_database_size(current_database())), (SELECT count(*) FROM tasks_event)"
        )
        whole, events = cursor.fetchone()
    return f"{whole}, {events} events"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readers", type=int, default=1_000_000)
    parser.add_argument("--weeks", type=int, default=104)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with homes.engines():
        from subscribers.saved_segments import count_readers

        began = time.perf_counter()
        publication = load(options.readers, options.weeks)
        print(f"loaded in {time.perf_counter() - began:.0f} s: {size()}", flush=True)
        for name, rule in RULES.items():
            took, counted = [], 0
            for _ in range(options.rounds):
                begins = time.perf_counter()
                counted = count_readers(publication, rule)
                took.append(time.perf_counter() - begins)
            print(f"{name}: {counted} readers, {statistics.median(took):.2f} s (best {min(took):.2f})", flush=True)
        print(
            f"{options.readers} readers, {options.weeks} weekly editions · Python {platform.python_version()}, {os.cpu_count()} cores, "
            f"load {os.getloadavg()[0]:.1f}"
        )


if __name__ == "__main__":
    main()
