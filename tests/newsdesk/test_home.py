import os
import stat
import subprocess
import sys
from pathlib import Path

from newsdesk.core.file_locks import Lock
from newsdesk.core.home import Home
from newsdesk.local_stack.engines import site
from tests.waiting import LONG


def test_processes_that_start_at_once_agree_on_the_secret_key(tmp_path: Path) -> None:
    script = "import sys; from pathlib import Path; from newsdesk.core.home import Home; print(Home(Path(sys.argv[1])).secret_key())"
    command = [sys.executable, "-c", script, str(tmp_path / "home")]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(6)]
    keys = {process.communicate(timeout=LONG)[0].strip() for process in processes}
    assert len(keys) == 1
    assert len(keys.pop()) > 50
    assert stat.S_IMODE((tmp_path / "home" / "secret-key").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["secret-key"]


def test_the_state_of_a_run_counts_while_it_runs(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert home.base_url() == "http://127.0.0.1:8000"
    home.remember_ports({"web": 8111})
    home.remember_ports({"sandbox": 8222})
    home.write_run_state({"base_url": "https://news.example", "sandbox_url": "http://127.0.0.1:8333"})
    lock = Lock(home.up_lock)
    assert lock.try_acquire()
    assert home.base_url() == "https://news.example"
    assert home.sandbox_url() == "http://127.0.0.1:8333"
    lock.release()
    assert home.run_state() == {}
    assert home.base_url() == "http://127.0.0.1:8111"
    assert home.sandbox_url() == "http://127.0.0.1:8222"


def test_a_damaged_state_is_no_state(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.run_file.write_text('{"base_url": ', encoding="utf-8")
    lock = Lock(home.up_lock)
    assert lock.try_acquire()
    assert home.run_state() == {}
    lock.release()


def test_the_path_of_a_socket_is_short_however_deep_the_home(tmp_path: Path) -> None:
    deep = Home(tmp_path.joinpath(*["a folder with a long name"] * 8))
    assert len(str(deep.sockets / ".s.PGSQL.5432")) < 104
    assert deep.sockets != Home(tmp_path).sockets


def test_a_home_is_its_owners_alone(tmp_path: Path) -> None:
    home = Home(tmp_path / "below" / "home")
    home.secret_key()

    assert stat.S_IMODE(home.path.stat().st_mode) == 0o700


def test_a_home_of_an_earlier_version_is_closed_to_others(tmp_path: Path) -> None:
    """Root's engines, which are not root, still pass through."""
    home = Home(tmp_path / "home")
    home.path.mkdir(mode=0o755)
    site.prepare(home)

    assert stat.S_IMODE(home.path.stat().st_mode) == (0o700 if os.geteuid() else 0o710)
