"""Brings the database to the state this version needs."""

import sys

from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from newsdesk.core.advisory_locks import AdvisoryLock, locked
from newsdesk.core.home import Home
from newsdesk.local_stack import fingerprint


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
    # Two who start at once do not do it twice.
    with locked(AdvisoryLock.MIGRATION):
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            sys.stderr.write("newsdesk: preparing the database\n")
            call_command("migrate", verbosity=0, interactive=False)


def _cluster() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT system_identifier FROM pg_control_system()")
        return str(cursor.fetchone()[0])
