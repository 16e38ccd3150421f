"""Provides a command with the database and the broker it needs, on whatever machine and in whatever home."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from newsdesk.local_stack import schema
from newsdesk.local_stack.engines.engines import ensure_running


@contextmanager
def provided(*, database: bool, broker: bool, migrate: bool = True) -> Iterator[None]:
    """Inside, the database and the broker serve. Those of DATABASE_URL and REDIS_URL are left as they are.

    Raises OperationFailedError when the embedded engines do not start.
    """
    environment = settings.ENVIRONMENT
    embedded = database and not environment.database_url
    with ensure_running(
        settings.HOME,
        postgres=embedded,
        valkey=broker and not environment.redis_url,
        programs=environment.postgres_bin,
    ):
        if embedded and migrate:
            schema.bring_embedded_up_to_date(settings.HOME)
        yield
