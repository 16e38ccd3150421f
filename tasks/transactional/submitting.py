"""One letter, at most once: encode, claim, one POST, outcome.

A letter never changes once it is written, so it is encoded before it is claimed, and the claim is the fence: from its
commit on a crash leaves a doubt. A doubtful letter is never sent again by itself, so a worker that was suspended may
still post it: it is the only one that ever will.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

import structlog
from django.db import Error as DatabaseError
from django.db import connection, transaction
from django.db.models.functions import Now

from newsdesk.core import process_identity
from tasks import queue
from tasks.database.durability import persistently, run_durably
from tasks.models import TransactionalMail
from tasks.providers.base import Accepted, KeepsJournal, Outcome, Partial, Reason, Refused, Transport, Unknown
from tasks.throttling import rate_limit
from tasks.throttling.back_off import back_off
from tasks.transactional.writing import message_of, recipient_of

log = structlog.get_logger(__name__)

Status = TransactionalMail.Status
#: Tries of a letter that the provider surely did not take.
MAX_TRIES = 8
#: Letters one call of `submit_waiting` sends at most: batches wait meanwhile.
AT_ONCE = 10
_TRY_AGAIN = frozenset({Reason.NOT_SENT, Reason.TOO_MANY})

#: The column list decides for the partial index of open letters.
_WAITING = """
SELECT id FROM tasks_letter WHERE status = 'pending' AND not_before <= statement_timestamp()
 ORDER BY not_before, id LIMIT %s
"""
_CLAIM = """
UPDATE tasks_letter
   SET status = 'submitting', attempt = %s, attempts = attempts + 1, claimed_at = statement_timestamp(), claimed_by = %s
 WHERE id = %s AND status = 'pending' AND not_before <= statement_timestamp()
RETURNING attempts
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class _End:
    """What becomes of a letter. `retry_after`: seconds the provider asked to wait, of a letter that is pending again."""

    status: TransactionalMail.Status
    said: str = ""
    provider_id: str = ""
    retry_after: float | None = None


def submit_mail(letter_id: int, *, transport: Transport) -> bool:
    """Submit one pending, due letter; False when it is not to be had. Raises nothing but database errors."""
    letter = TransactionalMail.objects.filter(pk=letter_id, status=Status.PENDING).first()
    if letter is None:
        return False
    attempt = uuid4()
    try:
        body = transport.encode(message_of(letter), [recipient_of(letter)], attempt=attempt)
    except DatabaseError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, trying again would not help
        _unfit(letter_id, f"{type(error).__name__}: {error}")
        return False
    tries = _claim(letter_id, attempt)
    if not tries:
        return False
    # It never waits for a rate, but what is sent by the thousand waits for it.
    rate_limit.take(transport.name, 1, urgent=True)
    outcome = _post(transport, body)
    persistently(lambda: record(letter_id, attempt, outcome, tries=tries))
    if isinstance(transport, KeepsJournal):
        transport.forget(attempt)
    return True


def submit_waiting(*, transport: Transport, limit: int = AT_ONCE) -> int:
    """Submit the letters that are due, the oldest first, up to a limit; how many were. Raises nothing but database errors.

    Costs one look at a small index when nothing waits.
    """
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, [limit])
        waiting = [letter_id for (letter_id,) in cursor.fetchall()]
    return sum(submit_mail(letter_id, transport=transport) for letter_id in waiting)


def _claim(letter_id: int, attempt: UUID) -> int:
    """Make it ours, on disk; the number of this try, or 0 when another has it."""
    taken = run_durably(_CLAIM, [attempt, process_identity.current_process(), letter_id])
    return int(taken[0][0]) if taken else 0


def _post(transport: Transport, body: object) -> Outcome:
    try:
        return transport.post(body)
    except Exception as error:
        # It promises not to raise; should it all the same, the letter may be out.
        log.exception("letter_transport_raised")
        return Unknown(message=f"{type(error).__name__}: {error}"[:300])


def record(letter_id: int, attempt: UUID, outcome: Outcome, *, tries: int) -> None:
    """Write down what became of the POST. Safe to repeat; whoever doubted it meanwhile (the sweep) is put right."""
    end = _end(outcome, tries=tries)
    again = end.status == Status.PENDING
    wait = 0.0
    if again:
        wait = back_off(tries) if end.retry_after is None else end.retry_after
    with transaction.atomic():
        written = TransactionalMail.objects.filter(
            pk=letter_id, attempt=attempt, status__in=[Status.SUBMITTING, Status.UNKNOWN]
        ).update(
            status=end.status,
            said=_kept(end.said),
            provider_id=end.provider_id[:200],
            not_before=Now() + timedelta(seconds=wait),
            finished_at=None if again else Now(),
        )
    log.info("letter", letter=letter_id, attempt=str(attempt), status=end.status.value, said=end.said or None)
    if written and again and wait <= queue.LONGEST_COUNTDOWN:
        queue.on_commit(lambda: queue.enqueue_mail(letter_id, countdown=wait + 0.05))


def _unfit(letter_id: int, why: str) -> None:
    TransactionalMail.objects.filter(pk=letter_id, status=Status.PENDING).update(
        status=Status.FAILED, said=_kept(f"It cannot be written as a mail: {why}"), finished_at=Now()
    )
    log.error("letter_unfit", letter=letter_id, why=why)


def _end(outcome: Outcome, *, tries: int) -> _End:
    if isinstance(outcome, Partial):
        return _end_of_one(outcome, tries=tries)
    if isinstance(outcome, Accepted):
        return _End(status=Status.SUBMITTED, provider_id=outcome.provider_id)
    if isinstance(outcome, Unknown):
        return _End(status=Status.UNKNOWN, said=outcome.message)
    return _End(status=_after(outcome, tries=tries), said=outcome.message, retry_after=outcome.retry_after)


def _end_of_one(outcome: Partial, *, tries: int) -> _End:
    """A letter has one recipient: whichever group it is in says all."""
    if outcome.accepted:
        return _End(status=Status.SUBMITTED)
    if outcome.unknown:
        return _End(status=Status.UNKNOWN, said=outcome.message)
    if outcome.refused:
        return _End(status=Status.FAILED, said=outcome.refused.get(0) or outcome.message)
    reason = Reason.TOO_MANY if outcome.put_off else outcome.reason or Reason.NOT_SENT
    words = outcome.put_off.get(0) or outcome.message
    refused = Refused(reason=reason, message=words, retry_after=outcome.retry_after)
    return _End(status=_after(refused, tries=tries), said=words, retry_after=outcome.retry_after)


def _after(refused: Refused, *, tries: int) -> TransactionalMail.Status:
    return Status.PENDING if refused.reason in _TRY_AGAIN and tries < MAX_TRIES else Status.FAILED


def _kept(text: str) -> str:
    return text.replace("\x00", "")[:400]
