"""`make dev`: `newsdesk up`, started again whenever a source file changes. Ports and data stay, for they are the home's."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WATCHED = ("composer", "newsdesk", "sandbox", "subscribers", "tasks", "templates", "web")
ENDINGS = {".py", ".html", ".css", ".j2", ".js"}
INTERVAL = 0.5


def sources() -> dict[Path, int]:
    """Every source file with the time it was last written."""
    found: dict[Path, int] = {}
    for folder in WATCHED:
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in ENDINGS:
                try:
                    found[path] = path.stat().st_mtime_ns
                except FileNotFoundError:  # an editor is just replacing it
                    continue
    return found


def start() -> "subprocess.Popen[bytes]":
    # A session of its own: Ctrl-C reaches this script, which then stops it once, and in order.
    return subprocess.Popen([sys.executable, "-m", "newsdesk", "up"], start_new_session=True)


def stop(running: "subprocess.Popen[bytes]") -> None:
    if running.poll() is None:
        running.send_signal(signal.SIGTERM)
    running.wait()


def main() -> int:
    os.chdir(ROOT)
    os.environ.setdefault("NEWSDESK_LOG_LEVEL", "DEBUG")
    before, running = sources(), start()
    try:
        while True:
            time.sleep(INTERVAL)
            now = sources()
            if now != before:
                changed = sorted(path for path in {*now, *before} if now.get(path) != before.get(path))
                sys.stderr.write(f"{changed[0].relative_to(ROOT)} changed: starting again\n")
                stop(running)
                before, running = now, start()
    except KeyboardInterrupt:
        return 0
    finally:
        stop(running)


if __name__ == "__main__":
    sys.exit(main())
