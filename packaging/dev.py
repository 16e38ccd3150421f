"""`make dev`: `newsdesk up`, started again whenever a source file changes. Ports and data stay, for they are the home's."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from watchfiles import Change, DefaultFilter, watch

ROOT = Path(__file__).resolve().parent.parent
WATCHED = ("composer", "newsdesk", "sandbox", "subscribers", "tasks", "templates", "web")
ENDINGS = (".py", ".html", ".css", ".j2", ".js")


class Sources(DefaultFilter):
    """Leaves out, besides caches and editors' drafts, whatever the programs do not read."""

    def __call__(self, change: Change, path: str) -> bool:
        return path.endswith(ENDINGS) and super().__call__(change, path)


@contextmanager
def running() -> Iterator[None]:
    """`newsdesk up` while the block runs; stopped in order at its end."""
    # A session of its own: Ctrl-C reaches this script, which then stops it once, and in order.
    process = subprocess.Popen([sys.executable, "-m", "newsdesk", "up"], start_new_session=True)
    try:
        yield
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait()


def main() -> int:
    os.chdir(ROOT)
    os.environ.setdefault("NEWSDESK_LOG_LEVEL", "DEBUG")
    # One watch for all rounds: what changes while the programs stop starts them once more.
    changes = watch(*WATCHED, watch_filter=Sources(), raise_interrupt=True)
    try:
        while True:
            with running():
                changed = sorted(path for _, path in next(changes))
                sys.stderr.write(f"{os.path.relpath(changed[0])} changed: starting again\n")
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
