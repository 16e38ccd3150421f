"""The sandbox as a process: its command line, its death and its return."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.conftest import KEY, raw_request
from tests.waiting import LONG

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]


class Process:
    def __init__(self, home: Path, *arguments: str, pass_fds: tuple[int, ...] = ()) -> None:
        command = [sys.executable, "-m", "sandbox", "--home", str(home), *arguments]
        self.popen = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, pass_fds=pass_fds)
        assert self.popen.stdout is not None
        self.url = self.popen.stdout.readline().split()[-1]
        self.public_key = self.popen.stdout.readline().split()[-1]

    def end(self, number: int = signal.SIGTERM) -> int:
        self.popen.send_signal(number)
        assert self.popen.stdout is not None
        self.popen.stdout.close()
        return self.popen.wait(LONG)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Any]:
    running: list[Process] = []

    def begin(*arguments: str, **more: Any) -> Process:
        running.append(Process(tmp_path / "home", *arguments, **more))
        return running[-1]

    yield begin
    for process in running:
        if process.popen.poll() is None:
            process.end(signal.SIGKILL)


def send(http: Any, process: Process, mail: dict[str, Any]) -> int:
    headers = {"Authorization": "Bearer any"}
    return int(http.request("POST", f"{process.url}/v3/mail/send", json=mail, headers=headers).status)


def test_a_killed_sandbox_remembers_and_posts_what_is_outstanding(
    start: Any, http: Any, receiver: Any, make_mail: Any, until: Any
) -> None:
    first = start("--webhook-url", receiver.webhook, "--event-delay", "60")
    assert send(http, first, make_mail("planned-not@example.org")) == 202
    changes = {"delay": 0, "withhold": True}
    http.request("POST", f"{first.url}/sandbox/webhooks", json=changes)
    assert send(http, first, make_mail("late+waiting@example.org", "open+waiting@example.org")) == 202
    until(lambda: len(list((first_home(first) / "outbox" / "new").iterdir())) == 3)
    first.end(signal.SIGKILL)
    assert receiver.posts == []

    second = start("--webhook-url", receiver.webhook, "--webhook-late-after", "0.1")
    assert second.public_key == first.public_key
    ledger = http.request("GET", f"{second.url}/sandbox/ledger?category=send-1").json()
    assert ledger == {"requests": 2, "accepted": 3, "distinct": 3, "duplicates": 0}
    until(lambda: receiver.of("late+waiting") == ["bounce", "delivered", "processed"])
    until(lambda: receiver.of("open+waiting") == ["delivered", "open", "processed"])
    # The receiver has an event before the sandbox has noted the answer.
    until(lambda: http.request("GET", f"{second.url}/sandbox/events").json()["pending"] == 2)
    assert len(list((first_home(first) / "outbox" / "new").iterdir())) == 3


def first_home(process: Process) -> Path:
    arguments = process.popen.args
    assert isinstance(arguments, list)
    return Path(arguments[4])


def test_it_ends_soon_after_sigterm_even_while_a_client_hangs(
    start: Any, http: Any, make_mail: Any, until: Any
) -> None:
    process = start("--api-key", KEY)
    http.request("POST", f"{process.url}/sandbox/faults", json={"kind": "accept-then-hang"})
    with socket.create_connection(("127.0.0.1", int(process.url.rpartition(":")[2]))) as idle:
        idle.sendall(raw_request(make_mail()))
        until(lambda: http.request("GET", f"{process.url}/sandbox/faults").json()[0]["struck"] == 1)
        # It would hang for an hour; `end` waits for two minutes.
        assert process.end() == 0
        assert idle.recv(100) == b""


def test_it_serves_an_inherited_socket(start: Any, http: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        process = start("--fd", str(listener.fileno()), pass_fds=(listener.fileno(),))
        assert process.url.endswith(f":{listener.getsockname()[1]}")
    assert http.request("GET", f"{process.url}/sandbox/health").json()["status"] == "ok"


def test_it_takes_faults_from_a_file(start: Any, http: Any, make_mail: Any, tmp_path: Path) -> None:
    faults = tmp_path / "faults.json"
    faults.write_text('[{"kind": "error", "status": 503, "requests": [2]}]')
    process = start("--faults", str(faults))
    assert [send(http, process, make_mail()) for _ in range(3)] == [202, 503, 202]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sandbox", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LONG, check=False, env=os.environ)


def test_a_home_has_one_owner(start: Any, tmp_path: Path) -> None:
    start()
    second = run("--home", str(tmp_path / "home"))
    assert (second.returncode, second.stdout) == (1, "")
    assert second.stderr == f"sandbox: {tmp_path / 'home'}: another sandbox uses this home\n"


def test_a_ledger_it_does_not_understand_is_refused(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "ledger.sqlite3").write_bytes(b"not a database" * 100)
    answer = run("--home", str(tmp_path / "home"))
    assert (answer.returncode, answer.stderr.count("\n")) == (1, 1)
    assert "ledger.sqlite3: file is not a database" in answer.stderr


def test_wrong_options_are_told_in_one_line(tmp_path: Path) -> None:
    faults = tmp_path / "faults.json"
    faults.write_text('{"kind": "nonsense"}')
    wrong = run("--home", str(tmp_path / "home"), "--faults", str(faults))
    assert wrong.returncode == 2
    assert wrong.stderr.startswith("sandbox: kind: 'nonsense' is unknown")
    assert wrong.stderr.count("\n") == 1
    missing = run("--home", str(tmp_path / "home"), "--faults", str(tmp_path / "none.json"))
    assert (missing.returncode, missing.stderr.count("\n")) == (2, 1)
