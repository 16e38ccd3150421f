"""`newsdesk up` with everything real: one home for the whole file, started by a fixture, killed in every way."""

import json
import os
import re
import signal
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsdesk.core.home import Home
from tests.machine import Up, command, new_home, newsdesk, start, status
from tests.waiting import LONG, eventually

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc for what survives"),
]

PROGRAMS = {"web": "gunicorn", "worker": "tasks.celery worker", "beat": "beat", "sandbox": "sandbox"}
ENGINES = {"postgres": "bin/postgres", "valkey": "valkey-server"}


@pytest.fixture(scope="module")
def home(migrated_cluster: Path) -> Iterator[Home]:
    with new_home(migrated_cluster) as home:
        yield home


@pytest.fixture(scope="module")
def running(home: Home) -> Iterator[Up]:
    up = start(home)
    yield up
    if up.process.poll() is None:
        up.end(signal.SIGTERM)


def test_everything_starts_and_serves(running: Up) -> None:
    page = urllib.request.urlopen(f"{running.url}/desk/login/", timeout=LONG).read().decode()
    stylesheet = re.search(r'href="(/static/[^"]+\.css)"', page)
    assert stylesheet is not None
    assert status(running.url + stylesheet[1]) == 200
    running.home.media.mkdir(exist_ok=True)
    (running.home.media / "picture.txt").write_text("seen", encoding="utf-8")
    assert status(f"{running.url}/media/picture.txt") == 200
    assert status(f"{running.url}/media/../secret-key") in {400, 404}
    assert status(f"{running.home.sandbox_url()}/") == 200

    second = newsdesk(running.home, "up")
    output, errors = second.communicate(timeout=LONG)
    assert second.returncode == 1
    assert output == ""
    assert errors == f"newsdesk: Newsdesk is already up in {running.home.path} ({running.url}).\n"

    borrowing = newsdesk(running.home, "status", "--json")
    output, errors = borrowing.communicate(timeout=LONG)
    assert (json.loads(output), errors) == ({"sends": []}, "")

    said = running.printed_until("Ctrl-C stops everything.")
    assert f"newsdesk | Log in as editor with the password {running.home.first_password()}\n" in said
    assert f"newsdesk | The desk is at {running.url}/desk/\n" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("name", [*PROGRAMS, *ENGINES])
def test_what_is_killed_starts_again(running: Up, name: str) -> None:
    mark = {**PROGRAMS, **ENGINES}[name]
    killed = running.child(mark)
    assert killed
    os.kill(killed, signal.SIGKILL)
    assert eventually(lambda: running.child(mark) not in {0, killed})
    assert eventually(running.healthy)


def test_a_connection_made_while_the_web_restarts_is_answered(running: Up) -> None:
    # All of the web at once: a connection already accepted by a process that dies is lost, whoever listens.
    os.killpg(running.child("gunicorn"), signal.SIGKILL)
    assert status(f"{running.url}/desk/login/") == 200


def test_nobody_reading_its_output_stops_nothing(home: Home, running: Up) -> None:
    # As with Ctrl-S, or `up | less`: once the pipe is full, whoever writes into it waits.
    with Path(f"/proc/{running.process.pid}/fd/1").open("wb", buffering=0) as pipe:
        os.set_blocking(pipe.fileno(), False)
        while pipe.write(b"x" * 4096):
            pass
    killed = running.child("gunicorn")
    os.killpg(killed, signal.SIGKILL)
    assert eventually(lambda: running.child("gunicorn") not in {0, killed})
    assert eventually(running.healthy)


def test_nothing_survives_kill_9_and_the_next_one_finds_its_port_and_password_and_stops(
    home: Home, running: Up
) -> None:
    everyone, url, password = running.everyone(), running.url, home.first_password()
    assert len(everyone) >= 10
    running.end(signal.SIGKILL)
    assert eventually(lambda: not any(map(command, everyone)))
    assert home.run_state() == {}
    again = start(home)
    assert (again.url, home.first_password()) == (url, password)
    everyone = again.everyone()
    said = again.printed_until("Ctrl-C stops everything.") + again.end(signal.SIGINT)
    assert again.process.returncode == 0
    assert password not in said
    assert "Traceback" not in said
    assert f"the first password is kept in {home.path / 'first-password'}" in said
    assert not any(map(command, everyone))


def test_a_taken_port_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        process = newsdesk(Home(tmp_path), "up", "--port", str(number))
        output, errors = process.communicate(timeout=LONG)
    assert process.returncode == 1
    assert (output, errors) == ("", f"newsdesk: Port {number} cannot be used: Address already in use.\n")


def test_commands_and_up_at_once_in_a_new_home() -> None:
    with new_home() as home:
        commands = [newsdesk(home, "status", "--json") for _ in range(2)]
        up = start(home)
        for each in commands:
            output, errors = each.communicate(timeout=LONG)
            assert each.returncode == 0, errors
            assert json.loads(output) == {"sends": []}
        up.end(signal.SIGTERM)
        assert up.process.returncode == 0
