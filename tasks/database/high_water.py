"""How far this installation has sent, kept outside the database, so that a restored database is told by being behind.

Each fence takes the next number of a sequence and keeps it with its attempt. Before the POST that number is written to a file
in the home, and to Redis for the other machines. Whoever claims reads both first: a database whose last number is below
the mark has forgotten fences, and one that has numbers where no mark is left, or one that came with a copy of the home, must be confirmed
by a person (docs/architecture.md, "Delivery").

The sequence itself tells too little: it is ahead of the fences once the database has recovered or was promoted.
"""

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import redis
import structlog
from django.conf import settings

from newsdesk.core import redis_client
from tasks.database import mark_file
from tasks.database.mark_file import Mark
from tasks.database.statements import run

log = structlog.get_logger(__name__)

#: Seconds for which a Redis that did not answer is not asked again: the file alone counts meanwhile.
_REDIS_PAUSE = 5.0
#: Seconds between two looks at what other machines have sent that are written down here: Redis may be lost together with one of them.
_BETWEEN_NOTES = 1.0
#: Never lowered by a machine that is late.
_RAISE = """
local known = redis.call('HGET', KEYS[1], 'fence')
if not known or tonumber(known) < tonumber(ARGV[1]) then redis.call('HSET', KEYS[1], 'fence', ARGV[1], 'send', ARGV[2]) end
"""
#: Whether the database disagrees with an `Expected` (`Expected.params`): the mark came with a copy, or the database is another
#: installation's, behind the mark, or with numbers where there is no mark.
DISAGREES_SQL = """COALESCE((
SELECT %s OR i.id <> %s::uuid OR CASE WHEN %s::bigint IS NULL THEN f.number > 0 ELSE f.number < %s::bigint END
  FROM tasks_installation i CROSS JOIN LATERAL (SELECT GREATEST(i.fences_before, (SELECT max(fence) FROM tasks_attempt))) AS f (number)
 LIMIT 1), true)"""
_LAST = (
    "SELECT GREATEST((SELECT max(fences_before) FROM tasks_installation), (SELECT max(fence) FROM tasks_attempt), 0)"
)
_CATCH_UP = """
SELECT setval('tasks_fence_number', GREATEST(CASE WHEN is_called THEN last_value ELSE 1 END, %s::bigint)) FROM tasks_fence_number
"""
_BEFORE = "UPDATE tasks_installation SET fences_before = GREATEST(fences_before, %s::bigint) RETURNING fences_before"


class Fence(NamedTuple):
    """A fence by its number, and of which installation and send it is."""

    number: int
    installation: str
    send_id: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Expected:
    """What the database must agree with when a batch is claimed."""

    installation: str
    #: None: nothing was sent yet, as far as this machine and Redis know.
    mark: Mark | None

    @property
    def params(self) -> tuple[bool, str, int | None, int | None]:
        """Those of DISAGREES_SQL."""
        fence = self.mark.fence if self.mark else None
        return self.mark is not None and self.mark.from_copy, self.installation, fence, fence


class UnsureError(Exception):
    """No file is here but a copy, and Redis does not answer: whether there is a mark cannot be said now."""


class _Redis:
    """Redis, left alone for a while after it did not answer."""

    def __init__(self) -> None:
        self._not_before = 0.0

    def ask(self, question: Any) -> Any:
        """The answer; raises redis.RedisError or OSError."""
        if time.monotonic() < self._not_before:
            raise redis.ConnectionError("it did not answer a moment ago")
        try:
            return question(redis_client.client(settings.REDIS_URL))
        except (redis.RedisError, OSError):
            self._not_before = time.monotonic() + _REDIS_PAUSE
            raise


class _Notes:
    """What Redis knew, written down here: at most once in a while, since whoever claims reads it each time."""

    def __init__(self) -> None:
        self._not_before = 0.0

    def note(self, of: str, mark: Mark) -> None:
        """Harmless where it cannot be written: Redis has it."""
        if time.monotonic() < self._not_before:
            return
        self._not_before = time.monotonic() + _BETWEEN_NOTES
        _note(of, mark)


_redis = _Redis()
_notes = _Notes()
#: As this process read it last. Whoever claims compares it with the database's.
_installation: list[str] = []


def installation() -> str:
    """The installation id that the database holds. Raises the database's errors."""
    ((number,),) = run("SELECT id::text FROM tasks_installation LIMIT 1", ())
    _installation[:] = [str(number)]
    return str(number)


def known_installation() -> str:
    """The same as this process read it last: right once something was claimed. Raises the database's errors."""
    return _installation[0] if _installation else installation()


def expected() -> Expected:
    """What is to be compared, read before the claim: a mark only rises. Raises UnsureError and the database's errors."""
    of = known_installation()
    return Expected(installation=of, mark=read(of))


def last_fence() -> int:
    """The number of the last fence the database knows of; 0 = none yet."""
    ((number,),) = run(_LAST, ())
    return int(number)


def agrees() -> bool:
    """Whether a mark is left that is no copy's and the database knows of every request up to it. Raises UnsureError and the database's errors."""
    # Read in this order: a mark only rises.
    mark = read(installation())
    return mark is not None and not mark.from_copy and last_fence() >= mark.fence


def catch_up(mark: Mark) -> None:
    """Let the database go on numbering behind the mark: whoever was behind it has been dealt with."""
    run(_CATCH_UP, [mark.fence])
    run(_BEFORE, [mark.fence])


def read(of: str, *, tells_others: bool = True) -> Mark | None:
    """The highest mark of the installation, of file and Redis; None = neither has one.

    What one of them lacks is written down there, but for whoever only asks (not `tells_others`): a machine that never sends has a file that no longer rises.
    `from_copy` where the home was copied, as far as can be told. Raises UnsureError when the file is missing or a copy and Redis does not answer.
    """
    here = mark_file.read(_path(of))
    try:
        there = _in_redis(of)
    except (redis.RedisError, OSError) as error:
        if here is None or here.from_copy:
            raise UnsureError(str(error)) from error
        return here
    if here is None and there is not None:
        # Whoever sends first has written it meanwhile: the file comes before Redis.
        here = mark_file.read(_path(of))
    if here is None or here.from_copy:
        return _without_own_file(of, here, there, notes=tells_others)
    if there is not None and there.fence > here.fence:
        if tells_others:
            _notes.note(of, there)
        return there
    if tells_others and here.fence > (there.fence if there else 0):
        # Redis was away, or has forgotten it: the other machines must know.
        _tell_redis(Fence(here.fence, of, here.send))
    return here


def _without_own_file(of: str, here: Mark | None, there: Mark | None, *, notes: bool) -> Mark | None:
    """The mark of Redis alone, or one that a person is asked about. Redis is told of no copy's: it would count then for its own."""
    if there is not None and there.fence >= (here.fence if here else 0) and not _redis_is_in_the_home():
        # A new machine, or a clone of one.
        if notes and here is None:
            _notes.note(of, there)
        elif notes:
            _note(of, there, adopt=True)
        return there
    known = max([mark for mark in (here, there) if mark is not None], key=lambda mark: mark.fence, default=None)
    return replace(known, from_copy=True) if known else None


def advance(fence: Fence, *, adopt: bool = False) -> None:
    """Write the fence's number down, unless a higher one is; on disk when it returns.

    For whoever is about to POST: raises OSError when it cannot be written, and `mark_file.CopiedError`, which is one, into a copy; then
    nothing may leave. Redis may be away. `adopt`: a person has said what the database is, and a copy becomes this home's own file.
    """
    mark_file.write(_path(fence.installation), Mark(fence=fence.number, send=fence.send_id), adopt=adopt)
    _tell_redis(fence)


def _note(of: str, mark: Mark, *, adopt: bool = False) -> None:
    try:
        mark_file.write(_path(of), mark, adopt=adopt)
    except OSError as error:
        log.warning("mark_not_noted", error=str(error))


def _in_redis(of: str) -> Mark | None:
    fence, send = _redis.ask(lambda client: client.hmget(_key(of), "fence", "send"))
    return Mark(fence=int(fence), send=int(send or 0)) if fence is not None else None


def _redis_is_in_the_home() -> bool:
    """Whether it is the embedded one, whose data is copied with the home."""
    return bool(settings.HOME.redis_url() == settings.REDIS_URL)


def _tell_redis(fence: Fence) -> None:
    try:
        _redis.ask(lambda client: client.eval(_RAISE, 1, _key(fence.installation), fence.number, fence.send_id))
    except (redis.RedisError, OSError) as error:
        log.warning("mark_not_in_redis", error=str(error))


def _path(of: str) -> Path:
    return settings.HOME.marks / of


def _key(of: str) -> str:
    return f"newsdesk:mark:{of}"
