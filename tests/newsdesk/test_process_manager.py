import io
import os
import select
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsdesk.core.errors import OperationFailedError
from newsdesk.local_stack import terminal as terminals
from newsdesk.local_stack.output import LARGEST_LOG, LogFile, Output
from newsdesk.local_stack.process_manager import ProcessManager, Program
from tests.waiting import LONG, eventually

pytestmark = pytest.mark.integration


class Terminal(io.StringIO):
    def __init__(self, *, tty: bool = False) -> None:
        super().__init__()
        self.tty = tty

    def isatty(self) -> bool:
        return self.tty


@pytest.fixture
def terminal() -> Terminal:
    return Terminal()


@pytest.fixture
def manager(tmp_path: Path, terminal: Terminal) -> Iterator[ProcessManager]:
    manager = ProcessManager(Output(tmp_path / "logs", stream=terminal), stage_seconds=(LONG, LONG))
    manager.start()
    yield manager
    manager.stop()


def python(name: str, script: str, **more: object) -> Program:
    return Program(name=name, command=(sys.executable, "-S", "-c", script), **more)  # type: ignore[arg-type]


def test_lines_of_programs_stand_side_by_side_and_in_files(
    manager: ProcessManager, terminal: Terminal, tmp_path: Path
) -> None:
    manager.launch(python("web", "print('one'); print('two', flush=True); import time; time.sleep(60)"))
    manager.launch(python("worker", "import sys, time; sys.stderr.write('caf\\xe9\\n'); time.sleep(60)"))
    assert eventually(lambda: terminal.getvalue().count("\n") == 3)
    assert sorted(terminal.getvalue().splitlines()) == ["web      | one", "web      | two", "worker   | café"]
    assert (tmp_path / "logs" / "web.log").read_text(encoding="utf-8") == "one\ntwo\n"
    assert manager.output.last_line("worker") == "café"


def test_what_dies_starts_again(manager: ProcessManager, terminal: Terminal) -> None:
    manager.launch(python("web", "import time; print('up', flush=True); time.sleep(60)"))
    assert eventually(lambda: terminal.getvalue().endswith("up\n"))
    first = manager.pids()["web"]
    os.kill(first, signal.SIGKILL)
    assert eventually(lambda: terminal.getvalue().count("up\n") == 2)
    assert manager.pids()["web"] != first
    assert terminal.getvalue().splitlines()[1] == "newsdesk | web was ended by SIGKILL; it starts again in 0.2 s"


def test_what_keeps_dying_is_started_ever_more_slowly(manager: ProcessManager, terminal: Terminal) -> None:
    manager.launch(python("beat", "raise SystemExit(3)"))
    assert eventually(lambda: terminal.getvalue().count("ended with 3") >= 3)
    waits = [line.rsplit(" ", 2)[1] for line in terminal.getvalue().splitlines()[:3]]
    assert waits == ["0.2", "0.4", "0.8"]


def test_stages_stop_in_order_and_the_stubborn_are_killed(
    manager: ProcessManager, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager.stage_seconds = (1.0, LONG)
    finish = manager.output.finish
    monkeypatch.setattr(manager.output, "finish", lambda seconds: finish(max(seconds, LONG)))
    polite = "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(print('bye', flush=True))); print('up', flush=True); time.sleep(60)"
    deaf = "import signal, time; signal.signal(3, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    manager.launch(python("sandbox", polite, stage=1))
    manager.launch(python("worker", deaf, stop_signal=signal.SIGQUIT))
    assert eventually(lambda: terminal.getvalue().count("up\n") == 2)
    pids = manager.pids()
    last: list[float] = []
    start = time.monotonic()
    manager.stop(then=lambda: last.append(time.monotonic()))
    assert 1.0 <= last[0] - start < LONG, "the polite one is not waited for longer than it takes"
    assert [line for line in terminal.getvalue().splitlines() if not line.endswith("up")] == [
        "newsdesk | worker did not stop; it is killed",
        "sandbox  | bye",
    ]
    for pid in pids.values():
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_children_of_a_dead_program_do_not_outlive_it(manager: ProcessManager, terminal: Terminal) -> None:
    script = "import os, subprocess, time; print(subprocess.Popen(['sleep', '60']).pid, flush=True); time.sleep(60)"
    manager.launch(python("worker", script))
    assert eventually(lambda: "\n" in terminal.getvalue())
    grandchild = int(terminal.getvalue().split("| ")[1])
    os.kill(manager.pids()["worker"], signal.SIGKILL)
    assert eventually(lambda: not _runs(grandchild))


def test_engines_that_end_start_again_with_patience(manager: ProcessManager, terminal: Terminal) -> None:
    class Flaky:
        def __init__(self) -> None:
            self.calls = 0

        def restart_dead(self) -> tuple[str, ...]:
            self.calls += 1
            if self.calls == 1:
                raise OperationFailedError("PostgreSQL did not start: no room")
            return ("postgres",) if self.calls == 2 else ()

    manager.engines = Flaky()
    assert eventually(lambda: "runs again" in terminal.getvalue())
    assert terminal.getvalue().splitlines() == [
        "newsdesk | PostgreSQL did not start: no room",
        "newsdesk | postgres had ended; it runs again",
    ]


def test_errors_of_calls_reach_the_caller(manager: ProcessManager) -> None:
    with pytest.raises(ZeroDivisionError):
        manager.do(lambda: 1 // 0)
    assert manager.do(lambda: 7) == 7


def test_a_terminal_shows_colours(tmp_path: Path) -> None:
    coloured = Terminal(tty=True)
    output = Output(tmp_path, stream=coloured)
    output.say("web", "hello")
    output.finish(LONG)
    assert coloured.getvalue() == "\x1b[34mweb      | \x1b[0mhello\n"


def test_nobody_waits_for_a_terminal_that_was_closed(tmp_path: Path) -> None:
    closed = Terminal()
    closed.close()
    output = Output(tmp_path, stream=closed)
    output.say("web", "nobody reads this")
    output.finish(LONG)
    output.say("web", "nor this")
    output.finish(LONG)


def test_a_program_runs_again_while_the_terminal_is_paused(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    with os.fdopen(reading, "rb") as paused, os.fdopen(writing, "w") as stream:
        output = Output(tmp_path / "logs", stream=stream)
        manager = ProcessManager(output, stage_seconds=(LONG, LONG))
        manager.start()
        talkative = f"print({'x' * 99!r} * 5000, flush=True); print('done', flush=True)"
        manager.launch(Program(name="web", command=(sys.executable, "-c", talkative)))
        log = tmp_path / "logs" / "web.log"
        assert eventually(lambda: log.exists() and log.read_bytes().count(b"done") >= 2)
        manager.do(lambda: output.say("newsdesk", "said while nobody looks"))
        taken = bytearray()
        assert eventually(lambda: taken.extend(paused.read() or b"") or b"said while nobody looks" in taken)
        assert taken.startswith(b"web      | xxx")
        manager.stop()


def test_what_a_paused_terminal_cannot_take_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminals, "MOST_WAITING", 10)
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as paused, os.fdopen(writing, "w") as stream:
        terminal = terminals.Terminal(stream)
        terminal.show("x" * 1_000_000)
        assert eventually(lambda: select.select([paused], [], [], 0)[0])
        for number in range(25):
            terminal.show(f"line {number}")
        taken = bytearray()
        while b"line 24\n" not in taken:
            taken += os.read(paused.fileno(), 65536)
        lines = taken.decode().splitlines()
        assert lines[1:] == ["(15 lines are in the log files only)", *(f"line {number}" for number in range(15, 25))]


def test_a_log_is_rotated_when_it_has_grown(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "web.log")
    log.write(b"x" * LARGEST_LOG + b"\n")
    log.write(b"new\n")
    log.close()
    assert (tmp_path / "web.log").read_bytes() == b"new\n"
    assert (tmp_path / "web.log.1").stat().st_size == LARGEST_LOG + 1


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").split(") ")[1][0] != "Z"
    except FileNotFoundError:
        return False
