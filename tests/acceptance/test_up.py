"""`newsdesk up` with everything real: one home for the whole file, started by a fixture, killed in every way."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from newsdesk.home import Home

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc for what survives"),
]

PROGRAMS = {"web": "gunicorn", "worker": "tasks.app worker", "beat": "beat", "sandbox": "sandbox"}
ENGINES = {"postgres": "bin/postgres", "valkey": "valkey-server"}


def environment(home: Home) -> dict[str, str]:
    ours = {"DATABASE_URL", "REDIS_URL", "BASE_URL", "SENDGRID_API_KEY", "SECRET_KEY", "DJANGO_SETTINGS_MODULE"}
    rest = {name: value for name, value in os.environ.items() if name not in ours and not name.startswith("NEWSDESK_")}
    return {**rest, "NEWSDESK_HOME": str(home.path)}


def newsdesk(home: Home, *words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "newsdesk", *words],
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@dataclass
class Up:
    """A running `newsdesk up`."""

    process: "subprocess.Popen[str]"
    home: Home

    @property
    def url(self) -> str:
        return self.home.base_url()

    def healthy(self) -> bool:
        try:
            return status(f"{self.url}/healthz") == 200
        except OSError:
            return False

    def child(self, mark: str) -> int:
        """The process of the group whose command line holds this mark; 0 when there is none."""
        for pid in children(self.process.pid):
            if mark in command(pid):
                return pid
        return 0

    def everyone(self) -> list[int]:
        family, fresh = [], [self.process.pid]
        while fresh:
            family += fresh
            fresh = [child for pid in fresh for child in children(pid)]
        return family

    def end(self, number: int) -> tuple[float, str]:
        """Send the signal and wait: the seconds it took, and what was printed."""
        start = time.monotonic()
        self.process.send_signal(number)
        output, errors = self.process.communicate(timeout=30)
        return time.monotonic() - start, output + errors


def children(pid: int) -> list[int]:
    """By any thread: the keeper is one."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(word) for word in task.read_text(encoding="ascii").split()]
        except OSError:
            continue
    return found


def command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=60) as response:
            response.read()
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def eventually(condition: Callable[[], object], seconds: float = 40) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def start(home: Home, *words: str) -> Up:
    up = Up(newsdesk(home, "up", *words), home)
    if not eventually(lambda: (home.run_state() and up.healthy()) or up.process.poll() is not None, 90):
        up.end(signal.SIGKILL)
    if up.process.poll() is not None:
        pytest.fail(f"it does not come up: {up.process.communicate()}")
    return up


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    path = Path(tempfile.mkdtemp(prefix="newsdesk-tests-"))
    path.chmod(0o711)
    yield Home(path)
    shutil.rmtree(path)


@pytest.fixture
def up(home: Home) -> Iterator[Up]:
    up = start(home)
    yield up
    if up.process.poll() is None:
        up.end(signal.SIGTERM)


def test_everything_starts_serves_and_stops(up: Up) -> None:
    page = urllib.request.urlopen(f"{up.url}/desk/login/", timeout=10).read().decode()
    stylesheet = re.search(r'href="(/static/[^"]+\.css)"', page)
    assert stylesheet is not None
    assert status(up.url + stylesheet[1]) == 200
    up.home.media.mkdir(exist_ok=True)
    (up.home.media / "picture.txt").write_text("seen", encoding="utf-8")
    assert status(f"{up.url}/media/picture.txt") == 200
    assert status(f"{up.url}/media/../secret-key") in {400, 404}
    assert status(f"{up.home.sandbox_url()}/") == 200

    second = newsdesk(up.home, "up")
    output, errors = second.communicate(timeout=30)
    assert second.returncode == 1
    assert output == ""
    assert errors == f"newsdesk: Newsdesk is already up in {up.home.path} ({up.url}).\n"

    borrowing = newsdesk(up.home, "status", "--json")
    output, errors = borrowing.communicate(timeout=30)
    assert (json.loads(output), errors) == ({"sends": []}, "")

    everyone = up.everyone()
    seconds, said = up.end(signal.SIGINT)
    assert seconds < 10
    assert up.process.returncode == 0
    password = up.home.first_password()
    assert f"newsdesk | Log in as editor with the password {password}\n" in said
    assert f"newsdesk | The desk is at {up.url}/desk/\n" in said
    assert "Traceback" not in said
    assert not any(map(command, everyone))


@pytest.mark.parametrize("name", [*PROGRAMS, *ENGINES])
def test_what_is_killed_starts_again(running: Up, name: str) -> None:
    mark = {**PROGRAMS, **ENGINES}[name]
    killed = running.child(mark)
    assert killed
    os.kill(killed, signal.SIGKILL)
    assert eventually(lambda: running.child(mark) not in {0, killed})
    assert eventually(running.healthy)


@pytest.fixture(scope="module")
def running(home: Home) -> Iterator[Up]:
    up = start(home)
    yield up
    up.end(signal.SIGTERM)


def test_a_connection_made_while_the_web_restarts_is_answered(running: Up) -> None:
    # All of the web at once: a connection already accepted by a process that dies is lost, whoever listens.
    os.killpg(running.child("gunicorn"), signal.SIGKILL)
    assert status(f"{running.url}/desk/login/") == 200


def test_nothing_survives_kill_9_and_the_next_one_finds_its_port_and_password(home: Home, running: Up) -> None:
    everyone, url, password = running.everyone(), running.url, home.first_password()
    assert len(everyone) >= 10
    running.end(signal.SIGKILL)
    assert eventually(lambda: not any(map(command, everyone)), 10)
    assert home.run_state() == {}
    again = start(home)
    assert (again.url, home.first_password()) == (url, password)
    running.process = again.process


def test_a_taken_port_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        process = newsdesk(Home(tmp_path), "up", "--port", str(number))
        output, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert (output, errors) == ("", f"newsdesk: Port {number} cannot be used: Address already in use.\n")


def test_commands_and_up_at_once_in_a_new_home() -> None:
    path = Path(tempfile.mkdtemp(prefix="newsdesk-tests-"))
    path.chmod(0o711)
    home = Home(path)
    try:
        commands = [newsdesk(home, "status", "--json") for _ in range(2)]
        up = start(home)
        for each in commands:
            output, errors = each.communicate(timeout=60)
            assert each.returncode == 0, errors
            assert json.loads(output) == {"sends": []}
        assert up.end(signal.SIGTERM)[0] < 10
    finally:
        shutil.rmtree(path)
