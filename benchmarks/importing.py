"""`newsdesk import-subscribers` of a large file, against a bare COPY and upsert of the same file, in the same run.

    python benchmarks/importing.py [--rows 1000000]

Ours: the command as an operator types it, from the start of its process to its end, on a database where nobody is yet: it finds
the encoding, reads and checks every row and every cell, refuses double and erased addresses by line, and makes subscribers,
subscriptions and consents in one transaction. Then the same file once more, which changes nothing.

Bare: the file's bytes as they are through COPY into an unlogged staging table, then in one transaction INSERT … SELECT DISTINCT ON
… ON CONFLICT DO UPDATE WHERE something differs, the subscriptions and their consents; foreign keys are checked at the commit, as
they are with ours. It checks nothing else and reports nothing. It runs first, in a copy of the same empty database, with the same
work_mem. There is no target in the design for this; the ratio is for keeping.
"""

import argparse
import csv
import json
import os
import platform
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.support import editions, homes, processes

if TYPE_CHECKING:
    from psycopg import Connection

    from newsdesk.core.home import Home

COUNTRIES = ("SG", "MY", "ID", "GB", "US", "DE", "JP", "PH")
ZONES = ("Asia/Singapore", "Europe/London", "")
_BARE_DATABASE = "bare"
_STAGE = """
CREATE UNLOGGED TABLE IF NOT EXISTS staged
    (email text, name text, language text, timezone text, tags text, country text);
TRUNCATE staged
"""
_UPSERT = """
INSERT INTO subscribers_subscriber AS s (email, name, language, timezone, attributes, tags)
SELECT DISTINCT ON (lower(email)) email, coalesce(name, ''), coalesce(language, ''), coalesce(timezone, ''),
       jsonb_build_object('country', country), coalesce(string_to_array(tags, ';'), '{}')
  FROM staged ORDER BY lower(email)
ON CONFLICT (lower(email)) DO UPDATE SET
    name = excluded.name, language = excluded.language, timezone = excluded.timezone,
    attributes = s.attributes || excluded.attributes, tags = excluded.tags
 WHERE (s.name, s.language, s.timezone, s.attributes, s.tags)
       IS DISTINCT FROM (excluded.name, excluded.language, excluded.timezone, s.attributes || excluded.attributes, excluded.tags)
"""
_SUBSCRIBE = """
WITH subscribed AS (
    INSERT INTO subscribers_subscription (subscriber_id, list_id, status)
    SELECT DISTINCT s.id, %(list)s::bigint, 'active' FROM staged JOIN subscribers_subscriber s ON lower(s.email) = lower(staged.email)
    ON CONFLICT (list_id, subscriber_id) DO NOTHING RETURNING subscriber_id
)
INSERT INTO subscribers_consent (subscriber_id, list_id, kind, source, wording)
SELECT subscriber_id, %(list)s, 'given', 'import', '' FROM subscribed
"""


def write(path: Path, rows: int) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["email", "name", "language", "timezone", "tags", "country"])
        writer.writerows(_rows(rows))


def _rows(number: int) -> Iterator[tuple[str, ...]]:
    for at in range(number):
        # In no order, as from another system.
        reader = at * 7_919 % number if number % 7_919 else at
        tags = "member;early" if reader % 9 == 0 else ""
        name = f"Siân Reader {reader}"
        country = COUNTRIES[reader % len(COUNTRIES)]
        yield f"Reader{reader}@example.com", name, "en", ZONES[reader % len(ZONES)], tags, country


def ours(path: Path, rows: int) -> tuple[float, int, dict[str, Any]]:
    """Seconds, peak kilobytes, and the command's own report."""
    words = ["import-subscribers", str(path), "--publication", "weekly", "--list", "readers", "--json"]
    seconds, most, printed = processes.run_watched([sys.executable, "-m", "newsdesk", *words])
    report: dict[str, Any] = json.loads(printed)
    assert report["rows"] == rows, report["rows"]
    assert not report["rejected"], report["rejected"][:3]
    return seconds, most, report


def bare(database: "Connection[Any]", path: Path, list_id: int) -> tuple[float, str]:
    """Seconds of the whole, and of its parts in words."""
    marks = [time.perf_counter()]
    database.execute(cast("Any", _STAGE))
    with database.cursor() as cursor, path.open("rb") as file:
        with cursor.copy("COPY staged FROM STDIN (FORMAT csv, HEADER)") as copy:
            while chunk := file.read(1 << 20):
                copy.write(chunk)
        marks.append(time.perf_counter())
        with database.transaction():
            cursor.execute("SET LOCAL work_mem = '128MB'")
            cursor.execute("ANALYZE staged")
            cursor.execute(_UPSERT)
            # Whoever writes this by hand finds out soon: the next join is planned for an empty table otherwise.
            cursor.execute("ANALYZE subscribers_subscriber")
            marks.append(time.perf_counter())
            cursor.execute(_SUBSCRIBE, {"list": list_id})
    marks.append(time.perf_counter())
    parts = [f"{name} {marks[at + 1] - marks[at]:.1f}" for at, name in enumerate(("COPY", "upsert", "subscribe"))]
    return marks[-1] - marks[0], ", ".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    with homes.engines() as home:
        measure(home, rows)


def measure(home: "Home", rows: int) -> None:
    from django.db import connections

    from subscribers.models import List

    path = home.path / "readers.csv"
    write(path, rows)
    list_id = List.objects.create(publication=editions.publication(), slug="readers", name="Readers").pk
    connections.close_all()
    with homes.connect(home, "postgres") as admin:
        name = home.database()["NAME"]
        admin.execute(f"CREATE DATABASE {_BARE_DATABASE} TEMPLATE {name}".encode())
        with homes.connect(home, _BARE_DATABASE) as database:
            bare_first, parts_first = bare(database, path, list_id)
            people = _people(database)
            admin.execute("CHECKPOINT")
            bare_again, parts_again = bare(database, path, list_id)
            assert people == _people(database) == (rows, rows, rows), people
        admin.execute("CHECKPOINT")
        starting, _, _ = processes.run_watched([sys.executable, "-m", "newsdesk", "status", "--json"])
        first, peak, report = ours(path, rows)
        assert report["created"] == rows, report
        with homes.connect(home) as database:
            assert _people(database) == people
        admin.execute("CHECKPOINT")
        again, peak_again, report = ours(path, rows)
        assert report["unchanged"] == rows, report
    print(
        f"first: bare {bare_first:.1f} s ({parts_first}), ours {first:.1f} s, ratio {bare_first / first:.2f}, "
        f"{rows / first:.0f} rows/s, peak {peak / 1024:.0f} MB"
    )
    print(
        f"again: bare {bare_again:.1f} s ({parts_again}), ours {again:.1f} s, ratio {bare_again / again:.2f}, "
        f"{rows / again:.0f} rows/s, peak {peak_again / 1024:.0f} MB"
    )
    print(f"starting a command that does next to nothing: {starting:.1f} s, part of both of ours")
    print(
        f"{rows} rows, {path.stat().st_size / 1e6:.0f} MB of CSV · Python {platform.python_version()}, "
        f"{os.cpu_count()} cores, {platform.system()}, load {os.getloadavg()[0]:.1f}"
    )


def _people(database: "Connection[Any]") -> tuple[int, ...]:
    """Subscribers, subscriptions, consents."""
    tables = ("subscriber", "subscription", "consent")
    counted = [
        database.execute(f"SELECT count(*) FROM subscribers_{table}".encode()).fetchone() or (0,) for table in tables
    ]
    return tuple(int(row[0]) for row in counted)


if __name__ == "__main__":
    main()
