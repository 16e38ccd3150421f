"""A client for the broker's server, where a few numbers live that may be lost at any time."""

from functools import lru_cache
from urllib.parse import parse_qs, urlsplit

import redis

#: Seconds; whoever asks has better things to do than to wait for a server that is away.
TIMEOUT = 1.0


@lru_cache(maxsize=4)
def client(url: str) -> redis.Redis:
    """A pooled client for a broker URL as Celery understands it; its pool notices a fork."""
    parts = urlsplit(url)
    options = {"socket_timeout": TIMEOUT, "socket_connect_timeout": TIMEOUT}
    if parts.scheme in {"redis+socket", "unix"}:
        query = parse_qs(parts.query)
        number = int((query.get("virtual_host") or query.get("db") or ["0"])[-1])
        return redis.Redis(unix_socket_path=parts.path, db=number, password=parts.password, **options)  # type: ignore[arg-type]
    return redis.Redis.from_url(url, **options)
