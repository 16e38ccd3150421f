"""A home for one run: a temporary folder on the disk, with the real engines in it and fsync on."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

    from newsdesk.core.home import Home

ROOT = Path(__file__).resolve().parent.parent.parent
#: Whatever of ours the caller's shell has set must not reach a measurement.
_OURS = (
    "DATABASE_URL",
    "REDIS_URL",
    "BASE_URL",
    "SECRET_KEY",
    "SENDGRID_",
    "NEWSDESK_",
    "SMTP_URL",
    "DKIM_",
    "DJANGO_",
)


def environment(path: Path, **more: str) -> dict[str, str]:
    """The environment of a process that belongs to the home at `path`, and takes the code of this checkout."""
    rest = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    variables = {**rest, "NEWSDESK_HOME": str(path), "DJANGO_SETTINGS_MODULE": "newsdesk.settings"}
    return {**variables, "PYTHONPATH": str(ROOT), **more}


@contextmanager
def temporary() -> Iterator[Path]:
    """A folder that PostgreSQL's account may enter, and which goes with the benchmark."""
    path = Path(tempfile.mkdtemp(prefix="newsdesk-bench-")).resolve()
    path.chmod(0o711)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def engines(**settings: str) -> Iterator["Home"]:
    """A migrated database and a broker in a temporary home, and Django set up in this process to use them.

    `settings` are environment variables for this process and for all it starts. Once a process.
    """
    assert "newsdesk.settings" not in sys.modules, "the settings are read once"
    with temporary() as path:
        mine = environment(path, **settings)
        os.environ.clear()
        os.environ.update(mine)
        import django

        django.setup()
        from django.conf import settings as read
        from django.db import connections

        from newsdesk.local_stack import schema
        from newsdesk.local_stack.engines.engines import Engines

        with Engines(read.HOME, shared=True):
            schema.bring_embedded_up_to_date(read.HOME)
            try:
                yield read.HOME
            finally:
                connections.close_all()


def connect(home: "Home", database: str = "", **options: Any) -> "psycopg.Connection[tuple[Any, ...]]":
    """A connection without Django to the home's database, or to another one beside it; autocommit, durable."""
    import psycopg

    of_home: Mapping[str, Any] = home.database()
    connection = psycopg.connect(
        host=of_home["HOST"],
        port=of_home["PORT"],
        user=of_home["USER"],
        dbname=database or of_home["NAME"],
        autocommit=True,
        **options,
    )
    connection.execute("SET synchronous_commit = on")
    return connection
