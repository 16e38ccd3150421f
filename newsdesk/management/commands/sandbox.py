"""newsdesk sandbox: the local SendGrid alone."""

import os
import sys
from argparse import ArgumentParser
from typing import Any

from newsdesk.management.base import NewsdeskCommand


class Command(NewsdeskCommand):
    help = "Run the local SendGrid alone, on this home's ledger and outbox."
    needs_database = False
    reports = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--port",
            type=int,
            metavar="N",
            help="port to listen on (default: the last one of this home, else 8025 or any)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        from django.conf import settings

        from newsdesk.core.errors import OperationFailedError
        from newsdesk.core.file_locks import is_held
        from newsdesk.core.home import DEFAULT_SANDBOX_PORT
        from newsdesk.local_stack import ports, programs

        home = settings.HOME
        if is_held(home.up_lock) and home.run_state().get("sandbox_url"):
            raise OperationFailedError(f"A sandbox already runs in this home, at {home.sandbox_url()}/.")
        wishes = [home.last_ports().get("sandbox", DEFAULT_SANDBOX_PORT), DEFAULT_SANDBOX_PORT]
        port = options["port"]
        listener = ports.listen_at(port) if port is not None else ports.listen_near(wishes)
        home.remember_ports({"sandbox": ports.port_of(listener)})
        base_url = settings.BASE_URL
        program = programs.sandbox(home, listener.fileno(), web_url=base_url, public_url=base_url)
        listener.set_inheritable(True)
        self.stdout.write(f"The sandbox is at http://127.0.0.1:{ports.port_of(listener)}/ (Ctrl-C stops it)")
        self.stdout.flush()
        sys.stderr.flush()
        # The command becomes the sandbox: signals and the exit code are its own.
        os.execv(sys.executable, [str(part) for part in program.command])  # noqa: S606 - no shell is wanted
