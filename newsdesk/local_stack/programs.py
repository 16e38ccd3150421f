"""The programs of the local stack, as they are started."""

import signal
import sys
from collections.abc import Sequence

from newsdesk.core.home import Home
from newsdesk.local_stack.process_manager import Program

PROCESSES = 2


def web(descriptor: int) -> Program:
    command = (
        sys.executable,
        "-m",
        "gunicorn",
        "--config",
        "python:newsdesk.local_stack.gunicorn_config",
        "--bind",
        f"fd://{descriptor}",
    )
    return Program(name="web", command=command, pass_fds=(descriptor,))


def worker(home: Home) -> Program:
    options = (
        "--loglevel=WARNING",
        f"--concurrency={PROCESSES}",
        "--without-gossip",
        "--without-mingle",
        f"--hostname=newsdesk-{home.digest}@%h",
    )
    # SIGQUIT: what runs may finish, what waits stays in the queue.
    return Program(name="worker", command=_celery("worker", *options), stop_signal=signal.SIGQUIT)


def beat(home: Home) -> Program:
    options = ("--loglevel=WARNING", f"--schedule={home.path / 'beat-schedule'}", "--pidfile=")
    return Program(name="beat", command=_celery("beat", *options))


def _celery(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "celery", "--quiet", "-A", "tasks.celery", *arguments)


def sandbox(home: Home, descriptor: int, *, web_url: str, public_url: str, options: Sequence[str] = ()) -> Program:
    """The local SendGrid. Links to the public address are followed here, where the server listens."""
    command = (
        sys.executable,
        "-m",
        "sandbox",
        "--home",
        home.sandbox,
        "--fd",
        str(descriptor),
        # Not the key itself: whoever lists the processes of this machine would read it.
        "--api-key-file",
        home.sandbox_api_key_file(),
        "--webhook-url",
        f"{web_url}/webhooks/sendgrid",
        *(("--map-url", f"{public_url}={web_url}") if public_url != web_url else ()),
        *options,
    )
    # Last to stop, so that a worker on its way out still gets its answers.
    return Program(name="sandbox", command=command, pass_fds=(descriptor,), stage=1)
