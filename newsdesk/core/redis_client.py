"""A client for the broker's server, where a few numbers live that may be lost at any time."""

from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

#: Seconds; whoever asks has better things to do than to wait for a server that is away.
TIMEOUT = 0.5
#: A server that was started anew has closed its connections: once more, at once. One that does not answer is not asked again;
#: left to itself the library would ask four times.
_RETRY = Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,))


@lru_cache(maxsize=4)
def client(url: str) -> redis.Redis:
    """A pooled client for a broker URL as Celery understands it; its pool notices a fork."""
    parts = urlsplit(url)
    options: dict[str, Any] = {"socket_timeout": TIMEOUT, "socket_connect_timeout": TIMEOUT, "retry": _RETRY}
    if parts.scheme in {"redis+socket", "unix"}:
        query = parse_qs(parts.query)
        number = int((query.get("virtual_host") or query.get("db") or ["0"])[-1])
        return redis.Redis(unix_socket_path=parts.path, db=number, password=parts.password, **options)
    return redis.Redis.from_url(url, **options)
