"""A PostgreSQL for tests: the files of a cluster that was migrated once, kept until a migration changes, and servers on copies."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings

from newsdesk.core.file_locks import Lock
from newsdesk.core.home import Home
from newsdesk.local_stack import fingerprint
from newsdesk.local_stack.engines.engines import Engines
from tests.machine import give_cluster

MIGRATED = "newsdesk"
#: Where one that serves already stands in pytest's stash.
SERVING: pytest.StashKey[Home] = pytest.StashKey()
KEPT_CLUSTERS = 3
#: Seconds.
MIGRATION_PATIENCE = 1800.0


def migrated(config: pytest.Config) -> Path:
    """The folder of a stopped cluster with every migration applied; made when a migration has changed."""
    folder = config.cache.mkdir("newsdesk") if config.cache else Path(tempfile.mkdtemp())
    cluster = folder / f"cluster-{fingerprint.of_migrations()}"
    lock = Lock(folder / "cluster.lock")
    # The other processes of a first run wait for the one that migrates: minutes on a slow machine.
    if not lock.acquire(MIGRATION_PATIENCE):
        raise TimeoutError(f"{lock.path} has been held for {MIGRATION_PATIENCE:g} s")
    try:
        if not cluster.exists():
            _forget_old(folder)
            _make(cluster)
    finally:
        lock.release()
    return cluster


@contextmanager
def running(cluster: Path) -> Iterator[Home]:
    """The home of a running PostgreSQL on a copy of those files."""
    home = Home(settings.HOME.path / "database")
    home.path.mkdir(mode=0o711)
    give_cluster(home, cluster)
    with Engines(home, valkey=False, durable=False):
        yield home


def _make(cluster: Path) -> None:
    home = Home(settings.HOME.path / "migration")
    home.path.mkdir(mode=0o711)
    with Engines(home, valkey=False, durable=False):
        url = f"postgresql://app@/{MIGRATED}?host={home.sockets}&port=5432"
        subprocess.run(
            [sys.executable, "-m", "newsdesk", "migrate", "--verbosity", "0"],
            env={**os.environ, "DATABASE_URL": url, "NEWSDESK_HOME": str(home.path)},
            cwd=Path(__file__).parent.parent,
            check=True,
        )
    draft = cluster.with_name(f".{cluster.name}")
    shutil.rmtree(draft, ignore_errors=True)
    subprocess.run(["cp", "-a", home.path / "engines" / "postgres", draft], check=True)
    draft.rename(cluster)
    shutil.rmtree(home.path)


def _forget_old(folder: Path) -> None:
    clusters = sorted(folder.glob("cluster-*"), key=lambda path: path.stat().st_mtime, reverse=True)
    for cluster in clusters[KEPT_CLUSTERS - 1 :]:
        shutil.rmtree(cluster, ignore_errors=True)
