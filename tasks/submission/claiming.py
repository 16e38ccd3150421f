"""Taking a batch: one durable transaction, ordered with pause and cancel by the send's row.

Whatever limits the flow is asked inside that transaction, after the batch was taken and its size is known: a limit undoes
the claim as if it had never been.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from newsdesk.core import process_identity
from tasks.database import identity
from tasks.database.durability import durable, run_durably
from tasks.database.statements import run
from tasks.models import Batch, Send
from tasks.sends import database_moved
from tasks.throttling import breaker, rate_limit, throttle, warm_up


@dataclass(frozen=True, slots=True)
class Claim:
    """A batch that is ours to build."""

    send_id: int
    batch_id: int
    variant_id: int
    approval_id: int
    attempt: UUID
    #: The how-manieth claim of this batch, from 1.
    number: int
    #: The send's lists.
    list_ids: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Wait:
    """There is a batch, but nothing may leave for so many more seconds."""

    seconds: float


class _NotNowError(Exception):
    """Nothing may leave through this transport. `seconds`: until it is worth asking again."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds


class _EnoughForTodayError(Exception):
    """The sender's domain has reached its ceiling; sends of other domains may go on."""


#: The send's row is locked FOR SHARE: pause and cancel update it, so each claim comes wholly before or after them.
_SEND = f"""
SELECT send.id, send.status, send.approval_id, send.sender_domain,
       send.system_identifier IS DISTINCT FROM ground.system_identifier OR send.timeline IS DISTINCT FROM ground.timeline
           AS moved,
       COALESCE(state.opened_at IS NOT NULL, false) AS broken,
       COALESCE(state.throttled_until > statement_timestamp(), false) AS held,
       EXISTS (SELECT 1 FROM tasks_warmup w WHERE w.domain = send.sender_domain) AS warming_up,
       ARRAY(SELECT list_id FROM tasks_send_lists l WHERE l.send_id = send.id) AS list_ids
  FROM tasks_send send CROSS JOIN ({identity.IDENTITY_SQL}) AS ground (system_identifier, timeline)
  LEFT JOIN tasks_transportstate state ON state.name = %s
 WHERE send.id = {{send}} FOR SHARE OF send
"""  # noqa: S608 - made of constants
_TAKE = """
UPDATE tasks_batch SET status = 'building', attempt = %s, attempts = attempts + 1, claimed_at = statement_timestamp(), claimed_by = %s
 WHERE id = {which} AND status = 'pending' AND not_before <= statement_timestamp()
RETURNING id, variant_id, attempts, size - excluded - failed
"""
_ANY_OF = """(SELECT id FROM tasks_batch WHERE send_id = {send} AND status = 'pending' AND not_before <= statement_timestamp()
              LIMIT 1 FOR UPDATE SKIP LOCKED)"""
#: The send that has the fewest requests on the way comes first: a large one does not keep a small one waiting.
_SENDS = f"""
SELECT s.id FROM tasks_send s
 WHERE s.status = 'sending' AND {warm_up.MAY_GO_ON_SQL} AND EXISTS (
       SELECT 1 FROM tasks_batch b WHERE b.send_id = s.id AND b.status = 'pending' AND b.not_before <= statement_timestamp())
 ORDER BY (SELECT count(*) FROM tasks_batch f WHERE f.send_id = s.id AND f.status IN ('building', 'submitting')), s.id
"""  # noqa: S608 - made of constants
_LOCK_SEND = _SEND.format(send="%s")
_TAKE_THIS = _TAKE.format(which="%s")
_TAKE_ANY = _TAKE.format(which=_ANY_OF.format(send="%s"))
#: Both in one statement, where no limit has a say. The batch is looked for only once the send's lock is held.
_AT_ONCE = f"""
WITH first AS MATERIALIZED ({_SENDS} LIMIT 1),
send AS MATERIALIZED ({_SEND.format(send="(SELECT id FROM first)")}),
taken AS ({
    _TAKE.format(
        which=_ANY_OF.format(
            send="(SELECT id FROM send WHERE status = 'sending' AND NOT (moved OR broken OR held OR warming_up))"
        )
    )
})
SELECT send.id, send.approval_id, send.list_ids, taken.id, taken.variant_id, taken.attempts
  FROM send LEFT JOIN taken ON true
"""  # noqa: S608 - made of constants


def claim(batch_id: int, *, attempt: UUID, transport: str) -> Claim | None:
    """Move a pending, due batch of a running send to building; None when it is not to be had now.

    `attempt` is the caller's, so that it can give the batch back even when the answer to the commit was lost.
    """
    send_id = Batch.objects.filter(pk=batch_id).values_list("send_id", flat=True).first()
    if send_id is None:
        return None
    try:
        return _claim(send_id, batch_id, attempt, transport)
    except (_NotNowError, _EnoughForTodayError):
        return None


def claim_next(*, attempt: UUID, transport: str) -> Claim | Wait | None:
    """The same for any batch that is due, sends by turns; None when there is none to be had."""
    if not rate_limit.configured().is_limited:
        rows = run_durably(_AT_ONCE, [transport, attempt, process_identity.current_process()])
        if not rows:
            return None
        send_id, approval_id, list_ids, batch_id, variant_id, number = rows[0]
        if batch_id is not None:
            return Claim(send_id, batch_id, variant_id, approval_id, attempt, number, tuple(list_ids))
    return _claim_under_limits(attempt, transport)


def _claim_under_limits(attempt: UUID, transport: str) -> Claim | Wait | None:
    for (send_id,) in run(_SENDS, ()):
        try:
            held = _claim(send_id, None, attempt, transport)
        except _NotNowError as limit:
            return Wait(seconds=limit.seconds)
        except _EnoughForTodayError:
            warm_up.wait_until_tomorrow(send_id)
            continue
        if held is not None:
            return held
    return None


def _claim(send_id: int, batch_id: int | None, attempt: UUID, transport: str) -> Claim | None:
    """Claim one batch of the send, or this one. Raises _NotNowError and _EnoughForTodayError when a limit stands in the way."""
    taken: list[tuple[Any, ...]] = []
    with durable():
        found = run(_LOCK_SEND, [transport, send_id])
        if not found or found[0][1] != Send.Status.SENDING:
            return None
        ((_, _, approval_id, domain, moved, broken, held, warming_up, list_ids),) = found
        if not moved:
            _ask_transport(transport, breaker_is_open=broken, held=held)
            which, one = (_TAKE_ANY, send_id) if batch_id is None else (_TAKE_THIS, batch_id)
            taken = run(which, [attempt, process_identity.current_process(), one])
        if taken:
            _ask_limits(transport, taken[0][0], taken[0][3], warming_domain=domain if warming_up else "")
    if moved:
        database_moved.pause_for_moved_database(send_id)
    if not taken:
        return None
    ((taken_id, variant_id, number, _),) = taken
    return Claim(send_id, taken_id, variant_id, approval_id, attempt, number, tuple(list_ids))


def _ask_transport(transport: str, *, breaker_is_open: bool, held: bool) -> None:
    hold = throttle.current(transport) if held else None
    if hold is not None:
        raise _NotNowError(hold.seconds)
    if breaker_is_open and not breaker.take_probe(transport):
        # The sweep rings when it is time to feel the way.
        raise _NotNowError(breaker.PROBE_EVERY_SECONDS)


def _ask_limits(transport: str, batch_id: int, recipients: int, *, warming_domain: str) -> None:
    if warming_domain and not warm_up.allows(warming_domain, recipients, batch_id=batch_id):
        raise _EnoughForTodayError
    if wait := rate_limit.take(transport, recipients):
        raise _NotNowError(wait)
