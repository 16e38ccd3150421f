import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from newsdesk.core.child_process import spawn

pytestmark = pytest.mark.integration

#: Starts a sleeper on a leash, says its number, and waits to be killed.
PARENT = """
import sys, time
from newsdesk.core.child_process import spawn
leashed = spawn(["sleep", "60"], watchdog=sys.argv[1] == "watchdog")
time.sleep(0.3)
print(leashed.pid, flush=True)
time.sleep(60)
"""


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").split(") ")[1][0] != "Z"
    except FileNotFoundError:
        return False


def eventually(condition: Callable[[], bool], seconds: float = 5) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("kind", ["kernel", "watchdog"])
def test_a_program_ends_with_its_killed_parent(kind: str) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT, kind], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        leashed = int(parent.stdout.readline())
        everyone = [leashed, *children(leashed)]
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
    leashed = spawn([sys.executable, "-c", script], output=writing, watchdog=watchdog)
    os.close(writing)
    with os.fdopen(reading) as output:
        assert output.readline() == "up\n"
        leashed.signal(signal.SIGTERM)
        assert leashed.wait(5)
        assert leashed.returncode == 7


def test_a_program_that_is_not_there_says_so(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as output:
        leashed = spawn(["/no/such/program"], output=output)
    assert leashed.wait(5)
    assert leashed.returncode == 127
    assert "cannot start /no/such/program: No such file" in (tmp_path / "out").read_text(encoding="utf-8")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")
def test_root_becomes_the_account_and_keeps_nothing(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as output:
        leashed = spawn(
            ["/bin/sh", "-c", "id -u; id -g; id -G; umask; pwd"], ids=(65534, 65534), output=output, cwd=Path("/")
        )
    assert leashed.wait(5)
    assert (tmp_path / "out").read_text(encoding="ascii").split() == ["65534", "65534", "65534", "0077", "/"]


def test_killing_takes_the_group_along(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    leashed = spawn(["/bin/sh", "-c", "sleep 60 & echo $!; wait"], output=writing)
    os.close(writing)
    with os.fdopen(reading) as output:
        grandchild = int(output.readline())
        leashed.kill()
        assert eventually(lambda: not is_alive(grandchild))
    assert leashed.returncode == -signal.SIGKILL
