"""newsdesk up: everything on this machine."""

import signal
import threading
from argparse import ArgumentParser
from typing import Any

from newsdesk.management.base import NewsdeskCommand

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Command(NewsdeskCommand):
    help = "Run everything on this machine: database, broker, web, worker, beat, sandbox."
    # The group runs the engines itself, and its output is a log.
    needs_database = False
    reports = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--port",
            type=int,
            metavar="N",
            help="port of the web (default: the last one of this home, else 8000 or any)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        from django.conf import settings

        from newsdesk.core.errors import OperationFailedError
        from newsdesk.local_stack.stack import LocalStack

        stop = threading.Event()
        with LocalStack(settings.HOME, port=options["port"]) as group:
            for number in STOPPING:
                signal.signal(number, lambda *_: stop.set())
            ready = threading.Thread(
                target=self._tell_when_ready, args=(group, stop, OperationFailedError), daemon=True
            )
            ready.start()
            stop.wait()
            group.output.say("newsdesk", "Stopping.")
        group.output.say("newsdesk", "Stopped.")
        group.output.finish(1.0)

    def _tell_when_ready(self, group: Any, stop: threading.Event, failure: type[Exception]) -> None:
        try:
            group.wait_until_healthy()
        except failure as error:
            if not stop.is_set():
                group.output.say("newsdesk", str(error))
            return
        group.output.say("newsdesk", "\n".join(addresses(group)))


def addresses(group: Any) -> list[str]:
    """Where to look, how to get in, and what mails lack, as lines."""
    from composer.list_unsubscribe import can_promise_one_click

    lines = [f"The desk is at {group.base_url}/desk/"]
    if group.sandbox_url:
        lines.append(f"Sent mail is at {group.sandbox_url}/ (a local SendGrid; nothing leaves this machine)")
    if group.login and group.login.password:
        lines.append(_how_to_log_in(group))
    if not can_promise_one_click(group.base_url):
        lines.append(
            "Mails carry no one-click unsubscribe (List-Unsubscribe-Post): it needs a BASE_URL with https, which Gmail and Yahoo ask for"
        )
    return [*lines, "Ctrl-C stops everything."]


def _how_to_log_in(group: Any) -> str:
    """The first login, once; from then on where it is kept, so that no log holds it again."""
    home, login = group.home, group.login
    if home.tell_first_password():
        return f"Log in as {login.username} with the password {login.password}"
    return (
        f"Log in as {login.username}; the first password is kept in {home.path / 'first-password'}, "
        f"and `newsdesk changepassword {login.username}` sets another"
    )
