"""How `newsdesk up` serves the web: threads, for a handful of editors and the webhooks of one sender."""

import signal
from typing import Any

from newsdesk.core.child_process import die_with_parent
from newsdesk.core.malloc import limit_arenas
from newsdesk.core.postgres import patience

wsgi_app = "newsdesk.wsgi:application"
worker_class = "newsdesk.local_stack.gunicorn_worker.Worker"
workers = 2
# Half of them are for readers and webhooks: `web/availability.py` gives the desk no more than the other half.
threads = 16
# One copy of the application in memory, and half the work at a start.
preload_app = True
timeout = 60
graceful_timeout = 4
keepalive = 5
loglevel = "warning"
control_socket_disable = True
#: What is asked of the database outside of a request, such as whether its connection still works, is answered in so many seconds.
DATABASE_SECONDS = 5.0

# Before the application is loaded and the workers are forked: sixteen threads on two cores have no use for more.
limit_arenas(2)


def post_fork(_server: Any, _worker: Any) -> None:
    die_with_parent(signal.SIGKILL)
    patience.otherwise(DATABASE_SECONDS)


def post_worker_init(_worker: Any) -> None:
    # Only now: threads do not survive a fork.
    _watch().start()


def worker_exit(_server: Any, _worker: Any) -> None:
    _watch().stop()


def _watch() -> Any:
    from web.watch import watch  # noqa: PLC0415 - it needs the application, which is loaded by now

    return watch
