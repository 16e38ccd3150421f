"""Several hosts on this machine: network namespaces on one bridge, each with a pid namespace of its own.

So a host sees no other's processes, as it is on machines that are really several: whatever looks a pid up in /proc, or asks the
loopback interface, finds only what is its own. Files are the one thing they share. Linux and root are needed.
"""

import ctypes
import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from tests.command_line import ROOT
from tests.machine import command
from tests.waiting import eventually

#: RFC 5737: an address of documentation, which is nobody's. It exists inside the namespaces only.
_NETWORK = "192.0.2"
_CLONE_NEWNET = 0x40000000
_WRONG_CLOCK = Path(__file__).with_name("wrong_clock.c")
_COMPILER = shutil.which("cc") or ""
_OWN_PIDS = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")
_networks = itertools.count()


def why_not() -> str:
    """Why hosts cannot be made here; "" where they can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "hosts are network namespaces, which only root makes, on Linux"
    name = f"newsdesk-probe-{os.getpid()}"
    try:
        made = subprocess.run(["ip", "netns", "add", name], check=False, capture_output=True, text=True)
    except FileNotFoundError:
        return "hosts are network namespaces, made by `ip` (apt-get install iproute2)"
    if made.returncode:
        return f"no network namespace can be made here: {made.stderr.strip()}"
    subprocess.run(["ip", "netns", "delete", name], check=True)
    made = subprocess.run([*_OWN_PIDS, "true"], check=False, capture_output=True, text=True)
    return f"no pid namespace can be made here: {made.stderr.strip()}" if made.returncode else ""


def why_no_clocks() -> str:
    """Why a host cannot have a clock that is wrong; "" where it can."""
    return (
        ""
        if _COMPILER
        else "a host's own clock is a small library in C, and there is no compiler (apt-get install gcc)"
    )


@lru_cache(maxsize=1)
def _wrong_clock() -> Path:
    library = Path(tempfile.mkdtemp(prefix="newsdesk-tests-")) / "wrong_clock.so"
    library.parent.chmod(0o755)
    subprocess.run([_COMPILER, "-shared", "-fPIC", "-O1", "-o", library, _WRONG_CLOCK, "-ldl"], check=True)
    return library


@dataclass
class Host:
    """One host. `address` is its own; `clock` is by how many seconds the clock of what it runs is ahead."""

    name: str
    namespace: str
    address: str
    network: "Network"
    clock: int = 0
    _init: "subprocess.Popen[bytes] | None" = None
    #: As its processes are named in `Batch.claimed_by`.
    pid_namespace: str = ""
    running: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def switch_on(self) -> None:
        """Start the process that holds its pid namespace, and ends it."""
        words = ["ip", "netns", "exec", self.namespace, *_OWN_PIDS]
        self._init = subprocess.Popen([*words, "sleep", "infinity"], start_new_session=True, stderr=subprocess.DEVNULL)
        # `ip` and `unshare` become each other; what it forks is the first process of the namespace.
        assert eventually(lambda: self.first and _namespace(self.first) != _namespace(os.getpid()))
        self.pid_namespace = _namespace(self.first)

    @property
    def first(self) -> int:
        """Its process 1, by the number that we know it by; 0 while there is none."""
        assert self._init is not None
        try:
            found = Path(f"/proc/{self._init.pid}/task/{self._init.pid}/children").read_text(encoding="ascii").split()
        except OSError:
            return 0
        return int(found[0]) if found else 0

    def words(
        self, program: Sequence[str | Path] = (), *, cwd: Path = ROOT, user: tuple[int, int] | None = None
    ) -> list[str]:
        """The command line that runs the program there, in this folder, as this user and group."""
        drop = ["setpriv", f"--reuid={user[0]}", f"--regid={user[1]}", "--clear-groups", "--"] if user else []
        enter = ["nsenter", f"--target={self.first}", "--net", "--pid", "--mount", "--"]
        # Whoever enters a mount namespace stands in its root folder.
        return [*enter, *drop, "env", f"--chdir={cwd}", *map(str, program)]

    def start(
        self,
        program: Sequence[str | Path],
        log: Path,
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path = ROOT,
        user: tuple[int, int] | None = None,
    ) -> "subprocess.Popen[bytes]":
        """Start a program there, by the host's clock."""
        with log.open("ab") as output:
            process = subprocess.Popen(
                self.words(program, cwd=cwd, user=user),
                env={**(env if env is not None else os.environ), **self._clockwork()},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.running.append(process)
        return process

    def _clockwork(self) -> dict[str, str]:
        if not self.clock:
            return {}
        return {"LD_PRELOAD": str(_wrong_clock()), "CLOCK_IS_AHEAD": str(self.clock)}

    def pids(self) -> list[int]:
        """All its processes but the first, by the numbers that we know them by."""
        every = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()]
        return [pid for pid in every if _namespace(pid) == self.pid_namespace and pid != self.first]

    def signal(self, number: int, mark: str = "") -> int:
        """Send it to all its processes whose command line holds the mark; to how many."""
        sent = 0
        for pid in self.pids():
            with suppress(OSError):
                if mark in command(pid):
                    os.kill(pid, number)
                    sent += 1
        return sent

    def mains(self, mark: str) -> list[int]:
        """Those of them that no other process of the host has started, and whose command line holds the mark."""
        every = {pid: parent_of(pid) for pid in self.pids()}
        return [pid for pid, parent in every.items() if parent not in every and mark in command(pid)]

    def freeze(self) -> None:
        """Everything stands still in the middle of what it does, as a machine whose hypervisor pauses it; its kernel goes on."""
        self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.signal(signal.SIGCONT)
        # `nsenter`, which waits outside for what it started, stops and goes on with it.
        for process in self.running:
            process.send_signal(signal.SIGCONT)

    def cut_off(self) -> None:
        """No packet goes in or out, and nobody is told."""
        self.network.ip("link", "set", f"to-{self.name}", "down")

    def reconnect(self) -> None:
        self.network.ip("link", "set", f"to-{self.name}", "up")

    def take_over(self, address: str) -> None:
        """Have this address too, from now on: the other hosts are told, as keepalived does it."""
        self.network.ip("address", "add", f"{address}/24", "dev", "eth0", namespace=self.namespace)
        for host in self.network.hosts.values():
            # Whoever remembers the former owner asks anew.
            self.network.ip("neighbour", "flush", "dev", "eth0", namespace=host.namespace)

    def give_up(self, address: str) -> None:
        self.network.ip("address", "delete", f"{address}/24", "dev", "eth0", namespace=self.namespace)

    def power_off(self) -> None:
        """The first process of the namespace is killed, and the kernel kills all others with it."""
        if self._init is None:
            return
        self.thaw()
        with suppress(ProcessLookupError):
            os.kill(self.first or self._init.pid, signal.SIGKILL)
        self._init.wait()
        for process in self.running:
            process.wait()
        self.running.clear()
        self._init = None

    @contextmanager
    def network_of_this_thread(self) -> Iterator[None]:
        """Sockets that this thread makes inside are the host's; they stay so."""
        libc = ctypes.CDLL(None, use_errno=True)
        with Path("/proc/thread-self/ns/net").open() as ours, Path(f"/run/netns/{self.namespace}").open() as theirs:
            if libc.setns(theirs.fileno(), _CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
            try:
                yield
            finally:
                if libc.setns(ours.fileno(), _CLONE_NEWNET):
                    os._exit(1)  # a test run in the wrong network would say nonsense

    def listens(self, port: int, address: str = "") -> bool:
        with self.network_of_this_thread():
            try:
                socket.create_connection((address or self.address, port), timeout=2).close()
            except OSError:
                return False
        return True


class Network:
    """A bridge in a namespace of its own, and the hosts on it. Nothing of it is seen from outside."""

    def __init__(self) -> None:
        self._name = f"newsdesk-{os.getpid()}-{next(_networks)}"
        self.hosts: dict[str, Host] = {}
        subprocess.run(["ip", "netns", "add", self._name], check=True)
        self.ip("link", "add", "bridge", "type", "bridge")
        self.ip("link", "set", "bridge", "up")

    def ip(self, *words: str, namespace: str = "") -> None:
        subprocess.run(["ip", "-n", namespace or self._name, *words], check=True)

    def add(self, name: str, *, clock: int = 0) -> Host:
        """Make a host and switch it on. `clock`: by how many seconds it is ahead."""
        namespace, address = f"{self._name}-{name}", f"{_NETWORK}.{len(self.hosts) + 1}"
        subprocess.run(["ip", "netns", "add", namespace], check=True)
        host = self.hosts[name] = Host(name, namespace, address, self, clock=clock)
        self.ip("link", "add", f"to-{name}", "type", "veth", "peer", "name", "eth0", "netns", namespace)
        self.ip("link", "set", f"to-{name}", "master", "bridge", "up")
        self.ip("address", "add", f"{address}/24", "dev", "eth0", namespace=namespace)
        self.ip("link", "set", "eth0", "up", namespace=namespace)
        self.ip("link", "set", "lo", "up", namespace=namespace)
        host.switch_on()
        return host

    def spare_addresses(self) -> tuple[str, str]:
        """Two that no host has: whoever serves takes them."""
        return f"{_NETWORK}.200", f"{_NETWORK}.201"

    def close(self) -> None:
        for host in self.hosts.values():
            host.power_off()
            subprocess.run(["ip", "netns", "delete", host.namespace], check=False)
        subprocess.run(["ip", "netns", "delete", self._name], check=False)


def parent_of(pid: int) -> int:
    """0 when there is no such process."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0
    return int(status.rpartition(")")[2].split()[1])


def _namespace(pid: int) -> str:
    try:
        return str(Path(f"/proc/{pid}/ns/pid").readlink())
    except OSError:
        return ""
