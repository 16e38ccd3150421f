"""How `newsdesk up` serves the web: threads, for a handful of editors and the webhooks of one sender."""

import signal
from typing import Any

from newsdesk.core.child_process import die_with_parent

wsgi_app = "newsdesk.wsgi:application"
worker_class = "gthread"
workers = 2
threads = 8
# One copy of the application in memory, and half the work at a start.
preload_app = True
timeout = 60
graceful_timeout = 4
keepalive = 5
loglevel = "warning"
control_socket_disable = True


def post_fork(_server: Any, _worker: Any) -> None:
    die_with_parent(signal.SIGKILL)
