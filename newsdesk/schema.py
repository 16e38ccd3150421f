"""Brings the database to the state this version needs."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from newsdesk import fingerprint
from newsdesk.home import Home

#: Whoever migrates holds this advisory lock, so that two who start at once do not do it twice.
MIGRATION_LOCK = 0x4E44_4D49


def bring_embedded_up_to_date(home: Home) -> None:
    """Apply missing migrations to the home's own database; next to nothing when none are missing."""
    stamp = home.path / "migrated"
    state = f"{_cluster()} {fingerprint.of_migrations()}\n"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == state:
        return
    bring_up_to_date()
    stamp.write_text(state, encoding="utf-8")


def bring_up_to_date() -> None:
    """Apply missing migrations, one process at a time."""
    with _alone():
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            sys.stderr.write("newsdesk: preparing the database\n")
            call_command("migrate", verbosity=0, interactive=False)


def _cluster() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT system_identifier FROM pg_control_system()")
        return str(cursor.fetchone()[0])


@contextmanager
def _alone() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATION_LOCK])
