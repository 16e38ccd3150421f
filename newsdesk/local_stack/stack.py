"""The whole of Newsdesk on one machine, as a context manager."""

import json
import os
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

from django.conf import settings
from django.db import connections

from newsdesk.core.deployment import refuse_unsafe_settings
from newsdesk.core.errors import OperationFailedError
from newsdesk.core.file_locks import Lock
from newsdesk.core.home import DEFAULT_PORT, DEFAULT_SANDBOX_PORT, Home
from newsdesk.local_stack import ports, preparation, programs, schema
from newsdesk.local_stack.engines.engines import Engines
from newsdesk.local_stack.output import Output
from newsdesk.local_stack.process_manager import ProcessManager

#: Others look at the lock for an instant; a running stack keeps it.
LOCK_PATIENCE = 1.0
ENGINES_PATIENCE = 3600.0
SANDBOX_PATIENCE = 20.0
HEALTH_PATIENCE = 60.0


class LocalStack:
    """Engines, sandbox, web, worker and beat of one home. Inside the `with` they run and are kept running."""

    def __init__(
        self, home: Home, *, port: int | None = None, quiet: bool = False, sandbox_options: Sequence[str] = ()
    ) -> None:
        """`port` is for the web, chosen when None; quiet programs write to HOME/logs only."""
        self.home = home
        self.output = Output(home.logs, quiet=quiet)
        self.login: preparation.Login | None = None
        self.base_url = ""
        #: "" when mail goes to SendGrid itself.
        self.sandbox_url = ""
        self._port = port
        self._sandbox_options = sandbox_options
        self._lock = Lock(home.up_lock)
        self._listeners: dict[str, socket.socket] = {}
        self._process_manager = ProcessManager(self.output)
        self._engines: Engines | None = None

    def __enter__(self) -> Self:
        """Start everything; returns when all programs have been started, before the web answers.

        Raises OperationFailedError when another one runs in this home, the port is taken or something does not start.
        """
        if not self._lock.acquire(LOCK_PATIENCE):
            where = self.home.run_state().get("base_url", "it is just starting")
            raise OperationFailedError(f"Newsdesk is already up in {self.home.path} ({where}).")
        try:
            self._listen()
            self._process_manager.start()
            self._process_manager.do(self._start_engines)
            self._prepare()
            self._start_programs()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def web_url(self) -> str:
        """Where the web listens on this machine, whatever its public address is."""
        return f"http://127.0.0.1:{ports.port_of(self._listeners['web'])}"

    def pids(self) -> dict[str, int]:
        """The main processes by name."""
        return {**(self._engines.pids() if self._engines else {}), **self._process_manager.pids()}

    def wait_until_healthy(self, seconds: float = HEALTH_PATIENCE) -> None:
        """Wait until /healthz answers 200. Raises OperationFailedError that says what does not answer."""
        deadline = time.monotonic() + seconds
        while True:
            answer = self._ask_health()
            if answer == "ok":
                return
            if time.monotonic() > deadline:
                raise OperationFailedError(
                    f"Newsdesk does not answer after {seconds:g} s ({answer}); see {self.home.logs}."
                )
            time.sleep(0.2)

    def stop(self) -> None:
        """Stop everything within ten seconds; may be called twice."""
        self._process_manager.stop(then=self._stop_engines)
        for listener in self._listeners.values():
            listener.close()
        self._listeners = {}
        self.home.run_file.unlink(missing_ok=True)
        self._lock.release()

    def _listen(self) -> None:
        last = self.home.last_ports()
        preferred = [last["web"]] if "web" in last else []
        chosen = self._port
        web = ports.listen_at(chosen) if chosen is not None else ports.listen_near([*preferred, DEFAULT_PORT])
        self._listeners["web"] = web
        self.base_url = settings.ENVIRONMENT.base_url or self.web_url
        if settings.ENVIRONMENT.uses_sandbox:
            preferred = [last["sandbox"]] if "sandbox" in last else []
            self._listeners["sandbox"] = ports.listen_near([*preferred, DEFAULT_SANDBOX_PORT])
            self.sandbox_url = f"http://127.0.0.1:{ports.port_of(self._listeners['sandbox'])}"
        numbers = {name: ports.port_of(listener) for name, listener in self._listeners.items()}
        self.home.remember_ports(numbers)
        state: dict[str, Any] = {"base_url": self.base_url, "sandbox_url": self.sandbox_url, "pid": os.getpid()}
        self.home.write_run_state({**state, "port": numbers["web"]})

    def _start_engines(self) -> None:
        environment = settings.ENVIRONMENT
        wanted = {"postgres": not environment.database_url, "valkey": not environment.redis_url}
        if not any(wanted.values()):
            return
        engines = Engines(self.home, **wanted, programs=environment.postgres_bin, shared=True, say=self._say)
        announced, start = False, time.monotonic()
        while not engines.try_start():
            if not announced and time.monotonic() - start > 2:
                self._say("waiting for a command that uses this home")
                announced = True
            if time.monotonic() - start > ENGINES_PATIENCE:
                raise OperationFailedError(f"A command still uses {self.home.path}.")
            time.sleep(0.05)
        self._engines = self._process_manager.engines = engines

    def _stop_engines(self) -> None:
        if self._engines is not None:
            self._engines.stop()
            self._engines = None

    def _prepare(self) -> None:
        refuse_unsafe_settings()
        try:
            if settings.ENVIRONMENT.database_url:
                schema.bring_up_to_date()
            else:
                schema.bring_embedded_up_to_date(self.home)
            preparation.refuse_unsafe_database()
            self.login = preparation.first_login(self.home)
        finally:
            connections.close_all()
        preparation.collect_static_files()

    def _start_programs(self) -> None:
        if "sandbox" in self._listeners:
            self._start_sandbox(self._listeners["sandbox"].fileno())
        self._refresh_settings()
        self._process_manager.launch(programs.web(self._listeners["web"].fileno()))
        self._process_manager.launch(programs.worker(self.home))
        self._process_manager.launch(programs.beat(self.home))

    def _start_sandbox(self, descriptor: int) -> None:
        options = self._sandbox_options
        self._process_manager.launch(
            programs.sandbox(self.home, descriptor, web_url=self.web_url, public_url=self.base_url, options=options)
        )
        # The others read its public key when they start.
        if not _becomes_true(lambda: bool(self.home.sandbox_public_keys()), SANDBOX_PATIENCE):
            raise OperationFailedError(
                f"The sandbox does not start: {self.output.last_line('sandbox')} (see {self.home.logs})"
            )

    def _refresh_settings(self) -> None:
        """Tell this process what it could not know when it read its settings."""
        settings.BASE_URL = settings.WAGTAILADMIN_BASE_URL = self.base_url
        if self.sandbox_url:
            settings.SENDGRID_HOST = self.sandbox_url
            configured = settings.ENVIRONMENT.sendgrid_webhook_public_keys
            settings.SENDGRID_WEBHOOK_PUBLIC_KEYS = configured or self.home.sandbox_public_keys()

    def _ask_health(self) -> str:
        try:
            with urllib.request.urlopen(f"{self.web_url}/healthz", timeout=5) as response:  # noqa: S310 - loopback
                response.read()
        except urllib.error.HTTPError as error:
            with error:
                return _failing_parts(error.read()) or f"HTTP {error.code}"
        except (OSError, ValueError) as error:
            return f"web: {error}"
        return "ok"

    def _say(self, text: str) -> None:
        sys.stderr.write(f"newsdesk: {text}\n")


def _failing_parts(body: bytes) -> str:
    """The parts that are not ok by a /healthz answer."""
    try:
        return ", ".join(f"{name}: {state}" for name, state in json.loads(body).items() if state != "ok")
    except (ValueError, AttributeError):
        return ""


def _becomes_true(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
