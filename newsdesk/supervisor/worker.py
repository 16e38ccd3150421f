"""`python -m newsdesk.supervisor.worker` is the Celery worker whose children end with it, however it ends."""

import signal
import sys
import warnings

from celery.signals import worker_process_init

from newsdesk.engines.leash import die_with_parent


@worker_process_init.connect
def end_with_the_main_process(**_: object) -> None:
    die_with_parent(signal.SIGKILL)


def main() -> None:
    # Newsdesk's messages are JSON: what the warning fears cannot be sent.
    warnings.filterwarnings("ignore", message="You're running the worker with superuser privileges")
    from tasks.app import app

    app.worker_main(["--quiet", "worker", *sys.argv[1:]])


if __name__ == "__main__":
    main()
