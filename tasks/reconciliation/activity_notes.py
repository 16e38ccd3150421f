"""What the activity feed last said, in Redis: it is a help, and may be lost. Who may ask next, and when, stands there too."""

import json
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from redis.exceptions import RedisError

from newsdesk.core import redis_client

log = structlog.get_logger(__name__)

#: Seconds for which an account that has no feed is not asked again, and after an error.
_NONE_FOR, _FAILED_FOR = 86_400, 300
_KEPT = 2 * 86_400


def take_turn(transport: str, *, every: float) -> bool:
    """Take the turn to ask: one pass of all workers has it within `every` seconds. False too where Redis does not answer."""
    try:
        return bool(_client().set(_turn(transport), "{}", nx=True, px=int(every * 1000)))
    except (RedisError, OSError) as error:
        log.info("activity_not_asked", why=str(error))
        return False


def has_none(transport: str, why: str) -> None:
    """The account has no feed: nobody asks for a day."""
    _put_off(transport, {"none": True, "why": why}, _NONE_FOR)


def failed(transport: str, why: str) -> None:
    """The feed did not answer: nobody asks for five minutes."""
    _put_off(transport, {"none": False, "why": why}, _FAILED_FOR)


def trouble(transport: str) -> tuple[bool, str]:
    """(the account has no feed, why it is not asked now); (False, "") while all is well or nothing is known."""
    try:
        told = json.loads(_client().get(_turn(transport)) or "{}")
    except (RedisError, OSError):
        return False, ""
    return bool(told.get("none")), str(told.get("why") or "")


def note(transport: str, answers: dict[UUID, dict[str, Any]]) -> None:
    """Keep what was said of each attempt, instead of what was said before."""
    if not answers:
        return
    try:
        told = {str(attempt): json.dumps(answer) for attempt, answer in answers.items()}
        _client().hset(_answers(transport), mapping=told)
        _client().expire(_answers(transport), _KEPT)
    except (RedisError, OSError) as error:
        log.info("activity_not_noted", why=str(error))


def noted(transport: str, attempts: Iterable[UUID]) -> dict[UUID, dict[str, Any]]:
    """What was last said of them; those that were not asked about are missing."""
    wanted = list(attempts)
    if not wanted:
        return {}
    try:
        found: Any = _client().hmget(_answers(transport), [str(attempt) for attempt in wanted])
    except (RedisError, OSError):
        return {}
    return {attempt: json.loads(text) for attempt, text in zip(wanted, found, strict=True) if text}


def _put_off(transport: str, told: dict[str, Any], seconds: int) -> None:
    log.warning("activity_unavailable", transport=transport, seconds=seconds, **told)
    try:
        _client().set(_turn(transport), json.dumps(told), ex=seconds)
    except (RedisError, OSError) as error:
        log.info("activity_not_noted", why=str(error))


def _client() -> Any:
    return redis_client.client(settings.REDIS_URL)


def _turn(transport: str) -> str:
    return f"newsdesk:activity:{transport}:turn"


def _answers(transport: str) -> str:
    return f"newsdesk:activity:{transport}:answers"
