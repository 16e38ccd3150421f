"""Claiming a batch: one durable transaction, ordered with pause and cancel by the send's row.

Throttle, breaker, rate limit and warm-up are asked inside that transaction, once the batch is claimed and its size is
known: a limit rolls the claim back (docs/architecture.md, "Delivery" and "Lock order").
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import structlog

from tasks.database import high_water, identity, leases
from tasks.database.durability import durable, run_durably
from tasks.database.high_water import Expected
from tasks.database.statements import run
from tasks.models import Batch, Send
from tasks.models.batch import live_sql
from tasks.sends import database_behind, database_moved
from tasks.throttling import breaker, canary, rate_limit, throttle, warm_up

log = structlog.get_logger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Claim:
    """A batch that this worker alone may build and post."""

    send_id: int
    batch_id: int
    variant_id: int
    approval_id: int
    attempt: UUID
    #: The number of this claim of the batch, from 1.
    number: int
    #: The send's lists.
    list_ids: tuple[int, ...]
    edition_id: int
    publication_id: int
    #: Whether the send's other batches wait for its answer.
    is_canary: bool = False
    #: Of its approval: what the bytes must be.
    content_hash: str = ""
    #: Its readers could be tracked when they were frozen.
    tracked: bool = False
    #: All its readers are at this domain, which is, or was, waited for; empty = at any.
    mailbox_domain: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wait:
    """There is a batch, but nothing may leave for so many more seconds."""

    seconds: float


class _NotNowError(Exception):
    """Nothing may leave through this transport. `seconds`: until it is worth asking again."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds


class _MarkDisagreesError(Exception):
    """The database does not agree with the mark of what was sent."""


class _CeilingReachedError(Exception):
    """The sender's domain has reached its ceiling; sends of other domains may go on."""


class _LockedSend(NamedTuple):
    """The columns of _SEND."""

    id: int
    status: str
    approval_id: int
    sender_domain: str
    mark_disagrees: bool
    database_moved: bool
    breaker_open: bool
    throttled: bool
    warming_up: bool
    list_ids: list[int]
    canary_batch: int | None
    content_hash: str
    edition_id: int
    publication_id: int


#: The send's row is locked FOR SHARE: pause and cancel update it, so each claim comes wholly before or after them.
_SEND = f"""
SELECT send.id, send.status, send.approval_id, send.sender_domain, {high_water.DISAGREES_SQL} AS mark_disagrees,
       {identity.MOVED_SQL} AS database_moved,
       COALESCE(state.opened_at IS NOT NULL, false) AS breaker_open,
       COALESCE(state.throttled_until > statement_timestamp(), false) AS throttled,
       EXISTS (SELECT 1 FROM tasks_warmup w WHERE w.domain = send.sender_domain) AS warming_up,
       ARRAY(SELECT list_id FROM tasks_send_lists l WHERE l.send_id = send.id) AS list_ids, send.canary_batch,
       (SELECT content_hash FROM composer_approval a WHERE a.id = send.approval_id) AS content_hash, send.edition_id,
       (SELECT publication_id FROM composer_edition e WHERE e.id = send.edition_id) AS publication_id
  FROM tasks_send send CROSS JOIN {identity.HERE_SQL}
  LEFT JOIN tasks_transportstate state ON state.name = %s
 WHERE send.id = {{send}} FOR SHARE OF send
"""  # noqa: S608 - made of constants
_CLAIM = f"""
UPDATE tasks_batch SET status = 'building', attempt = %s, attempts = attempts + 1, claimed_at = statement_timestamp(), claimed_by = %s
 WHERE id = {{which}} AND status = 'pending' AND not_before <= statement_timestamp()
RETURNING id, variant_id, attempts, {live_sql()}, tracked, mailbox_domain
"""  # noqa: S608 - made of constants
_ANY_OF = f"""(SELECT b.id FROM tasks_batch b JOIN tasks_send s ON s.id = b.send_id
               WHERE b.send_id = {{send}} AND {canary.MAY_BE_CLAIMED_SQL}
               {{order}} LIMIT 1 FOR UPDATE OF b SKIP LOCKED)"""  # noqa: S608 - made of constants
_THIS = f"""(SELECT b.id FROM tasks_batch b JOIN tasks_send s ON s.id = b.send_id
             WHERE b.id = %s AND {canary.MAY_BE_CLAIMED_SQL})"""  # noqa: S608 - made of constants
#: Running sends with a due batch, the fewest requests in flight first. OFFSET 0: one due batch is enough, the others are not read.
_SENDS = f"""
SELECT s.id FROM tasks_send s
 WHERE s.status = 'sending' AND {warm_up.MAY_GO_ON_SQL} AND EXISTS (
       SELECT 1 FROM tasks_batch b WHERE b.send_id = s.id AND {canary.MAY_BE_CLAIMED_SQL} OFFSET 0)
 ORDER BY (SELECT count(*) FROM tasks_batch f WHERE f.send_id = s.id AND f.status IN ('building', 'submitting')), s.id
"""  # noqa: S608 - made of constants
_LOCK_SEND = _SEND.format(send="%s")
_CLAIM_THIS = _CLAIM.format(which=_THIS)
_CLAIM_ANY = _CLAIM.format(which=_ANY_OF.format(send="%s", order=""))
#: While a domain warms up its batches were cut for engaged readers first (`tasks.audience.engaged_first`).
_CLAIM_FIRST = _CLAIM.format(which=_ANY_OF.format(send="%s", order="ORDER BY b.id"))
#: Both in one statement, where no limit applies. The batch is looked for only once the send's row is locked.
_CLAIM_NEXT = f"""
WITH first AS MATERIALIZED ({_SENDS} LIMIT 1),
send AS MATERIALIZED ({_SEND.format(send="(SELECT id FROM first)")}),
claimed AS ({
    _CLAIM.format(
        which=_ANY_OF.format(
            send="(SELECT id FROM send WHERE status = 'sending' AND NOT (mark_disagrees OR database_moved OR breaker_open OR throttled OR warming_up))",
            order="",
        )
    )
})
SELECT send.id, send.approval_id, send.list_ids, claimed.id, claimed.variant_id, claimed.attempts,
       claimed.id IS NOT DISTINCT FROM send.canary_batch, send.content_hash, send.edition_id, send.publication_id,
       claimed.tracked, claimed.mailbox_domain
  FROM send LEFT JOIN claimed ON true
"""  # noqa: S608 - made of constants


def claim_batch(batch_id: int, *, attempt: UUID, transport: str) -> Claim | None:
    """Move a pending, due batch of a running send to building; None when it is not to be had now.

    `attempt` is the caller's, so that it can release the claim even when the answer to the commit was lost.
    `transport`: its name with the fingerprint. Raises the database's errors.
    """
    send_id = Batch.objects.filter(pk=batch_id).values_list("send_id", flat=True).first()
    if send_id is None:
        return None
    try:
        return _agreed(lambda expected: _claim(send_id, batch_id, attempt, transport, expected))
    except (_NotNowError, _CeilingReachedError):
        return None


def claim_next(*, attempt: UUID, transport: str) -> Claim | Wait | None:
    """The same for any batch that is due; None when there is none to be had.

    The send with the fewest requests in flight comes first, so that a large one does not keep a small one waiting.
    """
    return _agreed(lambda expected: _claim_next(attempt, transport, expected))


def _claim_next(attempt: UUID, transport: str, expected: Expected) -> Claim | Wait | None:
    if not rate_limit.configured().is_limited:
        rows = run_durably(_CLAIM_NEXT, [*expected.params, transport, attempt, leases.holder()])
        if not rows:
            return None
        send_id, approval_id, list_ids, batch_id, variant_id, number, *rest = rows[0]
        is_canary, content_hash, edition_id, publication_id, tracked, domain = rest
        if batch_id is not None:
            return Claim(
                send_id=send_id,
                batch_id=batch_id,
                variant_id=variant_id,
                approval_id=approval_id,
                attempt=attempt,
                number=number,
                list_ids=tuple(list_ids),
                edition_id=edition_id,
                publication_id=publication_id,
                is_canary=is_canary,
                content_hash=content_hash,
                tracked=tracked,
                mailbox_domain=domain,
            )
    return _claim_under_limits(attempt, transport, expected)


def _agreed(claim: Callable[[Expected], T]) -> T | None:
    """Claim where database and mark agree; None where they do not, or where it cannot be said."""
    try:
        with suppress(_MarkDisagreesError):
            return claim(high_water.expected())
        # This process may have known another installation's id.
        if database_behind.agrees():
            with suppress(_MarkDisagreesError):
                return claim(high_water.expected())
    except high_water.UnsureError as unsure:
        log.warning("mark_not_read", error=str(unsure))
    return None


def _claim_under_limits(attempt: UUID, transport: str, expected: Expected) -> Claim | Wait | None:
    for (send_id,) in run(_SENDS, ()):
        try:
            claim = _claim(send_id, None, attempt, transport, expected)
        except _NotNowError as limit:
            return Wait(seconds=limit.seconds)
        except _CeilingReachedError:
            warm_up.wait_until_tomorrow(send_id)
            continue
        if claim is not None:
            return claim
    return None


def _claim(send_id: int, batch_id: int | None, attempt: UUID, transport: str, expected: Expected) -> Claim | None:
    """Claim one batch of the send, or this one. Raises _NotNowError and _CeilingReachedError when a limit stands in the way."""
    claimed: list[tuple[Any, ...]] = []
    with durable():
        sends = run(_LOCK_SEND, [*expected.params, transport, send_id])
        if not sends:
            return None
        send = _LockedSend(*sends[0])
        if send.status != Send.Status.SENDING:
            return None
        if send.mark_disagrees:
            raise _MarkDisagreesError
        if not send.database_moved:
            _ask_transport(transport, breaker_open=send.breaker_open, throttled=send.throttled)
            any_batch = _CLAIM_FIRST if send.warming_up else _CLAIM_ANY
            statement, which = (any_batch, send_id) if batch_id is None else (_CLAIM_THIS, batch_id)
            claimed = run(statement, [attempt, leases.holder(), which])
        if claimed:
            warming_domain = send.sender_domain if send.warming_up else ""
            _ask_limits(transport, claimed[0][0], claimed[0][3], warming_domain=warming_domain)
    if send.database_moved:
        # Its mark was compared in the same statement.
        database_moved.pause_for_moved_database(send_id, mark_agrees=True)
    if not claimed:
        return None
    ((claimed_id, variant_id, number, _, tracked, mailbox_domain),) = claimed
    return Claim(
        send_id=send_id,
        batch_id=claimed_id,
        variant_id=variant_id,
        approval_id=send.approval_id,
        attempt=attempt,
        number=number,
        list_ids=tuple(send.list_ids),
        edition_id=send.edition_id,
        publication_id=send.publication_id,
        is_canary=claimed_id == send.canary_batch,
        content_hash=send.content_hash,
        tracked=tracked,
        mailbox_domain=mailbox_domain,
    )


def _ask_transport(transport: str, *, breaker_open: bool, throttled: bool) -> None:
    current = throttle.current(transport) if throttled else None
    if current is not None:
        raise _NotNowError(current.seconds)
    if breaker_open and not breaker.take_probe(transport):
        # Recovery wakes a worker when the next probe is due.
        raise _NotNowError(breaker.PROBE_EVERY_SECONDS)


def _ask_limits(transport: str, batch_id: int, recipients: int, *, warming_domain: str) -> None:
    if warming_domain and not warm_up.allows(warming_domain, recipients, batch_id=batch_id):
        raise _CeilingReachedError
    if wait := rate_limit.take(transport, recipients):
        raise _NotNowError(wait)
