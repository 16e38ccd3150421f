import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from newsdesk.core.errors import OperationFailedError
from newsdesk.core.home import Home
from newsdesk.local_stack.engines.engines import Engines, ensure_running
from tests.waiting import LONG, eventually

pytestmark = pytest.mark.integration

#: Starts the engines of a home, commits a row, says the engines' numbers, and waits to be killed.
OWNER = """
import os, sys, time
from pathlib import Path
import psycopg, redis
from newsdesk.local_stack.engines.engines import Engines
from newsdesk.core.home import Home
home = Home(Path(sys.argv[1]))
with Engines(home) as engines:
    with psycopg.connect(host=str(home.sockets), port=5432, user="app", dbname="newsdesk", autocommit=True) as database:
        database.execute("CREATE TABLE IF NOT EXISTS kept (uid int)")
        database.execute("INSERT INTO kept VALUES (%s)", [os.getuid()])
    print(*engines.pids().values(), flush=True)
    if sys.argv[2] == "wait":
        time.sleep(60)
"""


@pytest.fixture(scope="module")
def used_home() -> Iterator[Home]:
    """One home with a database, handed from test to test: to make a database takes a second."""
    yield from _home()


@pytest.fixture
def home() -> Iterator[Home]:
    yield from _home()


def _home() -> Iterator[Home]:
    """A home that the engines' account can enter, unlike pytest's own temporary folders."""
    path = Path(tempfile.mkdtemp(prefix="newsdesk-tests-"))
    path.chmod(0o711)
    yield Home(path)
    shutil.rmtree(path)


def database(home: Home) -> "psycopg.Connection[tuple[object, ...]]":
    return psycopg.connect(host=str(home.sockets), port=5432, user="app", dbname="newsdesk", autocommit=True)


def broker(home: Home) -> redis.Redis:
    return redis.Redis(unix_socket_path=str(home.sockets / "valkey.sock"))


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").split(") ")[1][0] == "Z"
    except FileNotFoundError:
        return True


def test_nothing_is_lost_when_both_are_killed(used_home: Home) -> None:
    with Engines(used_home) as engines:
        with database(used_home) as connection:
            connection.execute("CREATE TABLE survived AS SELECT 1 AS one")
            assert connection.execute("SHOW synchronous_commit").fetchone() == ("on",)
            assert connection.execute("SHOW fsync").fetchone() == ("on",)
        with broker(used_home) as client:
            client.set("kept", "1")
        for pid in engines.pids().values():
            os.kill(pid, signal.SIGKILL)
        assert eventually(lambda: all(engine.is_dead for engine in engines.engines))
        assert engines.restart_dead() == ("postgres", "valkey")
        assert engines.restart_dead() == ()
        with database(used_home) as connection:
            assert connection.execute("SELECT one FROM survived").fetchone() == (1,)
        with broker(used_home) as client:
            assert client.get("kept") == b"1"
    assert not used_home.sockets.exists()


def test_a_home_has_one_owner_at_a_time(home: Home) -> None:
    with Engines(home, postgres=False):
        with pytest.raises(OperationFailedError, match=r"in use by another process"), Engines(home, postgres=False):
            pass
        with broker(home) as client:
            assert client.ping()
    with Engines(home, postgres=False), broker(home) as client:
        assert client.ping()


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_engines_end_with_their_killed_owner_and_serve_the_next(used_home: Home) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, str(used_home.path), "wait"], stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout is not None
        engines = [int(word) for word in owner.stdout.readline().split()]
        assert len(engines) == 2
        owner.kill()
    # At once: the successor waits for the predecessors that are still writing down what they know.
    with Engines(used_home), database(used_home) as connection:
        assert all(map(is_gone, engines))
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (1,)


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="needs root and setpriv")
def test_an_ordinary_user_owns_the_engines_directly(home: Home) -> None:
    nobody = pwd.getpwnam("nobody")
    os.chown(home.path, nobody.pw_uid, nobody.pw_gid)
    # Python itself may lie below root's private home, so the user may read everything, and that is all.
    become = ["setpriv", "--reuid=nobody", f"--regid={nobody.pw_gid}", "--clear-groups"]
    privilege = ["--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"]
    owner = [sys.executable, "-c", OWNER, str(home.path), "end"]
    subprocess.run([*become, *privilege, *owner], check=True, stdout=subprocess.DEVNULL)
    assert (home.path / "engines" / "postgres").stat().st_uid == nobody.pw_uid
    # Root, later, becomes the owner of the home.
    with Engines(home, valkey=False), database(home) as connection:
        assert connection.execute("SELECT uid FROM kept").fetchone() == (nobody.pw_uid,)


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user can always enter the own home")
def test_below_a_private_folder_root_keeps_the_data_elsewhere(
    tmp_path: Path, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newsdesk.local_stack.engines.site.ELSEWHERE", home.path / "elsewhere")
    tmp_path.chmod(0o700)
    private = Home(tmp_path / "home")
    for _ in range(2):
        with Engines(private, postgres=False) as engines:
            assert engines.site.data == home.path / "elsewhere" / private.digest
            assert engines.site.data.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a folder of another user")
def test_a_folder_for_sockets_that_somebody_else_made_is_refused(home: Home) -> None:
    home.sockets.mkdir()
    daemon = pwd.getpwnam("daemon")
    os.chown(home.sockets, daemon.pw_uid, daemon.pw_gid)
    try:
        with pytest.raises(OperationFailedError, match="belongs to another user"), Engines(home, postgres=False):
            pass
    finally:
        home.sockets.rmdir()


def test_shared_engines_are_borrowed(home: Home) -> None:
    with Engines(home, postgres=False, shared=True) as engines:
        before = engines.pids()
        with ensure_running(home, postgres=False), broker(home) as client:
            assert client.ping()
        assert engines.pids() == before
        assert engines.restart_dead() == ()


def test_engines_of_another_command_are_waited_for(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newsdesk.local_stack.engines.engines.PATIENCE_BEFORE_WORD", 0.1)
    said: list[str] = []
    with Engines(home, postgres=False) as engines:
        owned = threading.Event()

        def other() -> None:
            with ensure_running(home, postgres=False, say=said.append), broker(home) as client:
                client.ping()
                owned.set()

        waiting = threading.Thread(target=other)
        waiting.start()
        assert eventually(lambda: said)
        assert not owned.is_set()
        engines.stop()
        assert owned.wait(LONG)
        waiting.join()
    assert said == [f"waiting for another command that uses {home.path}"]


def test_a_pid_file_that_names_another_program_is_no_obstacle(used_home: Home) -> None:
    with Engines(used_home, valkey=False) as engines:
        folder = engines.engines[0].folder
        pid_file = (folder / "postmaster.pid").read_text(encoding="ascii")
    stranger = subprocess.Popen(["sleep", "60"], user=folder.stat().st_uid if os.geteuid() == 0 else None)
    lines = [str(stranger.pid), *pid_file.splitlines()[1:]]
    (folder / "postmaster.pid").write_text("\n".join(lines) + "\n", encoding="ascii")
    try:
        with Engines(used_home, valkey=False), database(used_home) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        stranger.kill()
        stranger.wait()


def test_an_engine_that_does_not_start_says_why(used_home: Home) -> None:
    with Engines(used_home, valkey=False) as engines:
        folder = engines.engines[0].folder
    (folder / "postgresql.conf").write_text("work_mem = many\n", encoding="utf-8")
    with (
        pytest.raises(OperationFailedError, match=r"PostgreSQL did not start: .*(work_mem|configuration file)"),
        Engines(used_home),
    ):
        pass
    (folder / "PG_VERSION").write_text("14\n", encoding="utf-8")
    with pytest.raises(OperationFailedError, match="made by version 14"), Engines(used_home):
        pass
