"""How much room is left on the disk of the home, where the embedded database writes.

Below LEAST_TO_SEND nothing new is sent: what becomes of a batch must be written down. It goes on by itself once there is room.
"""

import shutil
from pathlib import Path

#: Percent of the disk that are free: below the first a person is told, below the second nothing is sent.
LEAST, LEAST_TO_SEND = 10.0, 2.0
#: Percent from which on the warning is over: it must not come and go with every file.
ENOUGH = 12.0


def free_percent(home: Path) -> float:
    """What is free for ordinary users, in percent of the whole; 100 where that cannot be told (no such folder)."""
    try:
        usage = shutil.disk_usage(home)
    except OSError:
        return 100.0
    return 100.0 * usage.free / usage.total if usage.total else 100.0


def is_too_short_to_send(home: Path) -> bool:
    return free_percent(home) < LEAST_TO_SEND
