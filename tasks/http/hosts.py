"""So many requests to one host at a time, whoever makes them."""

import threading
from collections import defaultdict
from urllib.parse import urlsplit

#: Connections to one host.
MOST_PER_HOST = 2


class Hosts:
    """What the threads of one run share."""

    def __init__(self, most: int = MOST_PER_HOST) -> None:
        self._lock = threading.Lock()
        self._slots: dict[str, threading.Semaphore] = defaultdict(lambda: threading.Semaphore(most))

    def slot(self, url: str) -> threading.Semaphore:
        """To be held (`with`) while the URL's host is asked."""
        with self._lock:
            return self._slots[(urlsplit(url).hostname or "").lower()]
