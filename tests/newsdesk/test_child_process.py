import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from newsdesk.core.child_process import spawn
from tests.waiting import LONG, eventually

pytestmark = pytest.mark.integration

#: Starts a sleeper, says its number, and waits to be killed.
PARENT = """
import sys, time
from newsdesk.core.child_process import spawn
program = spawn(["sleep", "60"], watchdog=sys.argv[1] == "watchdog")
print(program.pid, flush=True)
time.sleep(60)
"""


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").split(") ")[1][0] != "Z"
    except FileNotFoundError:
        return False


def family(pid: int) -> list[int]:
    """The process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [pid, *map(int, children)]


def sleeps(pid: int) -> bool:
    """Whether it has become the program; before that it was Python."""
    return Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"sleep\0")


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("kind", ["kernel", "watchdog"])
def test_a_program_ends_with_its_killed_parent(kind: str) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT, kind], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        program = int(parent.stdout.readline())
        assert eventually(lambda: any(map(sleeps, family(program))))
        everyone = family(program)
        assert len(everyone) == (2 if kind == "watchdog" else 1)
        assert all(map(is_alive, everyone))
        parent.kill()
        assert eventually(lambda: not any(map(is_alive, everyone)))


@pytest.mark.parametrize("watchdog", [False, True])
def test_signals_and_exit_codes_pass(watchdog: bool) -> None:
    script = (
        "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(7)); print('up', flush=True); time.sleep(60)"
    )
    reading, writing = os.pipe()
    program = spawn([sys.executable, "-c", script], output=writing, watchdog=watchdog)
    os.close(writing)
    with os.fdopen(reading) as output:
        assert output.readline() == "up\n"
        program.signal(signal.SIGTERM)
        assert program.wait(LONG)
        assert program.returncode == 7


def test_a_program_that_is_not_there_says_so(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as output:
        program = spawn(["/no/such/program"], output=output)
    assert program.wait(LONG)
    assert program.returncode == 127
    assert "cannot start /no/such/program: No such file" in (tmp_path / "out").read_text(encoding="utf-8")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")
def test_root_becomes_the_account_and_keeps_nothing(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as output:
        program = spawn(
            ["/bin/sh", "-c", "id -u; id -g; id -G; umask; pwd"], ids=(65534, 65534), output=output, cwd=Path("/")
        )
    assert program.wait(LONG)
    assert (tmp_path / "out").read_text(encoding="ascii").split() == ["65534", "65534", "65534", "0077", "/"]


def test_killing_takes_the_group_along(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    program = spawn(["/bin/sh", "-c", "sleep 60 & echo $!; wait"], output=writing)
    os.close(writing)
    with os.fdopen(reading) as output:
        grandchild = int(output.readline())
        program.kill()
        assert eventually(lambda: not is_alive(grandchild))
    assert program.returncode == -signal.SIGKILL
