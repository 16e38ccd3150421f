"""A pooler in transaction mode is told from one in session mode, and workers do not start behind it."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from newsdesk.core.child_process import ChildProcess, spawn
from newsdesk.core.home import Home
from newsdesk.core.postgres import pooling
from newsdesk.local_stack.engines import account as accounts
from tests import pgbouncer
from tests.conftest import TESTED
from tests.waiting import eventually

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.integration]

MakePooler = Callable[..., Path]


@pytest.fixture
def pooler(database_home: Home) -> Iterator[MakePooler]:
    """Makes a PgBouncer before the tests' PostgreSQL: the folder of its socket."""
    program = pgbouncer.program()
    running: list[ChildProcess] = []

    def make(mode: str, *, size: int = 20) -> Path:
        # A short name: a socket's path has little room.
        folder = Path(tempfile.mkdtemp(prefix="newsdesk-tests-"))
        account = accounts.choose(database_home.path)
        account.own(folder)
        file = pgbouncer.configure(folder, server=f"host={database_home.sockets} port=5432", mode=mode, size=size)
        with (folder / "output.log").open("wb") as output:
            words = [program, file]
            running.append(
                spawn(words, death_signal=pgbouncer.STOP, ids=account.ids, env=os.environ, output=output, cwd=folder)
            )
        assert eventually(lambda: _answers(folder)), (folder / "output.log").read_text()
        return folder

    yield make
    for process in running:
        process.kill()


def _answers(folder: Path) -> bool:
    try:
        psycopg.connect(host=str(folder), port=pgbouncer.PORT, user="app", dbname=TESTED).close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.fixture
def through(pooler: MakePooler) -> Iterator[Callable[..., BaseDatabaseWrapper]]:
    """Makes a connection of Django's through a pooler."""
    made: list[BaseDatabaseWrapper] = []

    def make(mode: str, *, size: int = 20) -> BaseDatabaseWrapper:
        other = connection.copy()
        other.settings_dict.update(HOST=str(pooler(mode, size=size)), PORT=str(pgbouncer.PORT))
        made.append(other)
        return other

    yield make
    for other in made:
        other.close()


Through = Callable[..., BaseDatabaseWrapper]


def test_the_modes_are_told_apart(through: Through) -> None:
    assert pooling.lends_by_transaction(through("transaction"))
    assert not pooling.lends_by_transaction(through("session"))
    assert not pooling.lends_by_transaction(connection)


def test_a_pool_of_one_session_is_told_too(through: Through) -> None:
    assert pooling.lends_by_transaction(through("transaction", size=1))


def test_a_full_pool_in_session_mode_says_nothing_and_keeps_nobody(
    through: Through, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pooling, "_SECONDS", 1.0)

    assert not pooling.lends_by_transaction(through("session", size=1))


def test_rows_in_pieces_come_through_a_pooler_in_transaction_mode(through: Through) -> None:
    pooled = through("transaction")
    assert pooling.is_between(pooled)
    assert not pooling.is_between(connection)

    with pooled.chunked_cursor() as cursor, pooled.cursor() as between:
        cursor.execute("SELECT generate_series(1, 5)")
        first = cursor.fetchone()
        between.execute("SELECT 1")
        rest = cursor.fetchall()

    assert [first, *rest] == [(number,) for number in range(1, 6)]


def test_a_worker_behind_a_pooler_in_transaction_mode_does_not_start_and_says_why(
    pooler: MakePooler, tmp_path: Path, valkey_url: str
) -> None:
    ended = _start_worker(tmp_path, f"postgresql://app@/{TESTED}?host={pooler('transaction')}", valkey_url)

    assert ended.returncode == 1
    assert "worker: DATABASE_URL leads through a pooler in transaction mode" in ended.stderr
    assert "give workers a DATABASE_URL of PostgreSQL itself, or of a pool in session mode" in ended.stderr


def _start_worker(home: Path, url: str, broker: str) -> "subprocess.CompletedProcess[str]":
    env = {
        **os.environ,
        "DATABASE_URL": f"{url}&port={pgbouncer.PORT}",
        "REDIS_URL": broker,
        "NEWSDESK_HOME": str(home),
        "DJANGO_SETTINGS_MODULE": "newsdesk.settings",
    }
    words = [sys.executable, "-m", "celery", "--quiet", "-A", "tasks.celery", "worker", "--pool=solo"]
    return subprocess.run(words, env=env, check=False, capture_output=True, text=True, timeout=120)
