"""The engines for tests, started by whoever asks first: a test that asks for neither pays for neither.

Each process that runs tests has a PostgreSQL and a Valkey of its own, on a copy of a cluster that was migrated once and is
kept under .pytest_cache until a migration changes. They end with the process, however it ends.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.conf import settings
from django.db import connections
from django.test import TransactionTestCase
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pytest_django.plugin import DjangoDbBlocker

from newsdesk.core import redis_client
from newsdesk.core.file_locks import is_held
from newsdesk.core.home import Home
from newsdesk.local_stack.engines.engines import Engines
from tests import cluster
from tests.waiting import LONG

TESTED = "newsdesk_test"
_NAME_INSTALLATION = "UPDATE tasks_installation SET id = %s"
#: A folder of a run that was killed is removed by a later run, once it is older than this.
LEFTOVER_SECONDS = 3600


#: The same examples in each run, and no limit on the time that one takes. `--hypothesis-profile=search` looks for new ones.
_HYPOTHESIS: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
}
hypothesis_settings.register_profile("same", **_HYPOTHESIS, derandomize=True)
hypothesis_settings.register_profile("search", **_HYPOTHESIS, derandomize=False)
hypothesis_settings.load_profile("same")


def pytest_configure() -> None:
    # Programs that tests start are those of production.
    os.environ["DJANGO_SETTINGS_MODULE"] = "newsdesk.settings"
    # WhiteNoise warns where nothing was collected, and a warning is an error here.
    settings.HOME.static.mkdir(exist_ok=True)


def pytest_unconfigure(config: pytest.Config) -> None:
    shutil.rmtree(settings.HOME.path, ignore_errors=True)
    for folder in Path(tempfile.gettempdir()).glob("newsdesk-tests-*"):
        homes = (folder, folder / "database")
        fresh = folder.stat().st_mtime > time.time() - LEFTOVER_SECONDS
        if fresh or any(is_held(home / "engines" / "owner.lock") for home in homes):
            continue
        shutil.rmtree(folder, ignore_errors=True)
        for home in homes:
            shutil.rmtree(Home(home).sockets, ignore_errors=True)


@pytest.fixture(scope="session")
def migrated_cluster(pytestconfig: pytest.Config) -> Path:
    """The files of a stopped cluster that was migrated; copy them into a home with `cp -a`."""
    return cluster.migrated(pytestconfig)


@pytest.fixture(scope="session")
def database_home(request: pytest.FixtureRequest) -> Iterator[Home]:
    """The home of a running PostgreSQL whose database "newsdesk" is migrated and never changed."""
    if home := request.config.stash.get(cluster.SERVING, None):
        yield home
        return
    with cluster.running(request.getfixturevalue("migrated_cluster")) as home:
        yield home


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, database_home: Home, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """Replaces pytest-django's: every test sees the migrated database, with what the migrations put into it."""
    connection_settings = connections["default"].settings_dict
    connection_settings.update(HOST=str(database_home.sockets), NAME=TESTED)
    _renew_database(database_home)

    def restore(test_case: TransactionTestCase) -> None:
        connections.close_all()
        _renew_database(database_home)

    with pytest.MonkeyPatch.context() as patch:
        # Django would truncate every table, and with them the rows that Wagtail's migrations made.
        patch.setattr(TransactionTestCase, "_fixture_teardown", restore)
        yield
        with django_db_blocker.unblock():
            connections.close_all()


@pytest.fixture(autouse=True)
def another_installation(request: pytest.FixtureRequest) -> None:
    """Each test has one of its own: the fences of the test before were rolled back, and the mark of them was not."""
    if request.node.get_closest_marker("django_db") or {"db", "transactional_db"} & set(request.fixturenames):
        # Not for all tests: whoever asks for it has a database.
        request.getfixturevalue("_django_db_helper")
        with connections["default"].cursor() as cursor:
            cursor.execute(_NAME_INSTALLATION, [_new_installation()])


@pytest.fixture
def database_url(transactional_db: None, another_installation: None, database_home: Home) -> str:
    """The test's database for processes the test starts, which have homes of their own. Such a test commits."""
    return f"postgresql://app@/{TESTED}?host={database_home.sockets}&port=5432"


@pytest.fixture(scope="module")
def valkey_url() -> Iterator[str]:
    """A running Valkey, the one settings.REDIS_URL names; it ends with the module, for others start one there themselves.

    It is empty: it keeps its data in the home, and an earlier module may have left messages in its queues.
    """
    with Engines(settings.HOME, postgres=False):
        redis_client.client(settings.REDIS_URL).flushall()
        yield settings.REDIS_URL


@pytest.fixture
def patient_valkey_client(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whoever asks Valkey waits as long as it takes: a slow machine does not look like a server that is away."""
    monkeypatch.setattr(redis_client, "TIMEOUT", LONG)
    redis_client.client.cache_clear()
    yield
    redis_client.client.cache_clear()


def _new_installation() -> str:
    """An id, of which nothing was sent yet: tests without Redis have the file in the home."""
    installation = str(uuid4())
    settings.HOME.marks.mkdir(exist_ok=True)
    settings.HOME.marks.joinpath(installation).write_text('{"fence": 0, "send": 0}')
    return installation


def _renew_database(home: Home) -> None:
    arguments: dict[str, Any] = {"host": str(home.sockets), "port": 5432, "user": "app", "dbname": "postgres"}
    with psycopg.connect(**arguments, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {TESTED} WITH (FORCE)".encode())
        # Without fsync a copy of the files takes a third of the time of a copy through the log.
        connection.execute(f"CREATE DATABASE {TESTED} TEMPLATE {cluster.MIGRATED} STRATEGY FILE_COPY".encode())
    arguments["dbname"] = TESTED
    with psycopg.connect(**arguments, autocommit=True) as connection:
        # Another database than the last test's: its fences are numbered from 1 again.
        connection.execute(_NAME_INSTALLATION, [_new_installation()])
