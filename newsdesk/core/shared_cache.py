"""Django's cache in the broker's server, so that what is counted there is counted for all processes together.

While that server does not answer, each process counts for itself: nobody is locked out, and limits still hold.
"""

import time
from collections.abc import Callable
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis.exceptions import RedisError

from newsdesk.core import redis_client

#: Seconds for which a server that did not answer is not asked again.
REST = 5.0


class _Client(RedisCacheClient):
    _servers: list[str]

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:  # noqa: ARG002 - Django's signature
        return redis_client.client(self._servers[0])


class _Shared(RedisCache):
    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        # A URL as Celery writes it may hold anything; Django would divide it at commas.
        self._servers = [server]
        self._class = _Client


class SharedCache(BaseCache):
    """A cache of Redis with one of this process behind it."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        self._shared = _Shared(server, params)
        self._own = LocMemCache("newsdesk", params)
        self._asked_again_at = 0.0

    def _do(self, operation: Callable[[BaseCache], Any]) -> Any:
        if time.monotonic() >= self._asked_again_at:
            try:
                return operation(self._shared)
            except RedisError:
                self._asked_again_at = time.monotonic() + REST
        return operation(self._own)

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return bool(self._do(lambda cache: cache.add(key, value, timeout, version)))

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return self._do(lambda cache: cache.get(key, default, version))

    def set(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        self._do(lambda cache: cache.set(key, value, timeout, version))

    def touch(self, key: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return bool(self._do(lambda cache: cache.touch(key, timeout, version)))

    def delete(self, key: Any, version: int | None = None) -> bool:
        return bool(self._do(lambda cache: cache.delete(key, version)))

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        return int(self._do(lambda cache: cache.incr(key, delta, version)))

    def clear(self) -> None:
        """Forget what this process keeps. What is shared stays: the server holds the queues of Celery too."""
        self._own.clear()
