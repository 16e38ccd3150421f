"""One transactional mail, at most once: encode, claim, one POST, outcome.

A mail never changes once it is written, so it is encoded before it is claimed, and the claim is the fence: a crash after
its commit leaves the outcome unknown. An unknown mail is never sent again by itself, so a worker that was suspended may
still post it: it is the only one that ever will (docs/architecture.md, "Delivery").

Mails about alarms are different: what is wrong with the provider is what they tell of. They are tried for a day, also when the provider
wants nothing from us, and some times when nobody knows whether one is out: one that comes twice harms nobody. Where they have a server of
their own their tries go by it and the usual way in turn (`alarm_transport`).
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID, uuid4

import structlog
from django.db import Error as DatabaseError
from django.db import connection, transaction
from django.db.models.functions import Mod, Now

from newsdesk.core import process_identity
from tasks import queue
from tasks.database.durability import persistently, run_durably
from tasks.models import TransactionalMail
from tasks.providers.base import Accepted, KeepsJournal, Outcome, Partial, Reason, Refused, Transport, Unknown
from tasks.throttling import rate_limit
from tasks.throttling.back_off import back_off
from tasks.transactional import alarm_transport
from tasks.transactional.writing import message_of, recipient_of

log = structlog.get_logger(__name__)

Status = TransactionalMail.Status
#: Tries of a mail that the provider surely did not take.
MAX_TRIES = 8
#: Mails one call of `submit_waiting` sends at most: batches wait meanwhile.
AT_ONCE = 10
_TRY_AGAIN = frozenset({Reason.NOT_SENT, Reason.TOO_MANY})
#: The same of a mail about an alarm. With waits of `back_off`, which grow to five minutes, that is a day.
MAX_ALARM_TRIES = 296
#: Seconds until one is tried again of which nobody knows whether it is out: not so often that an editor gets it many times.
ALARM_AFTER_UNKNOWN = 1800.0
_TRY_ALARM_AGAIN = _TRY_AGAIN | {Reason.NOT_ALLOWED, Reason.NOT_ACCEPTABLE}
#: Tries after which a mail that was refused for its own sake has been refused by both ways, should one have been away at its first.
_BOTH_WAYS = 3

#: Its conditions are those of the partial index of open mails.
_WAITING = """
SELECT id FROM tasks_letter WHERE status = 'pending' AND not_before <= statement_timestamp()
 ORDER BY not_before, id LIMIT %s
"""
_CLAIM = """
UPDATE tasks_letter
   SET status = 'submitting', attempt = %s, attempts = attempts + 1, claimed_at = statement_timestamp(), claimed_by = %s
 WHERE id = %s AND status = 'pending' AND not_before <= statement_timestamp() AND attempts = %s
RETURNING attempts
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Result:
    """What is recorded of a try. `retry_after`: seconds the provider asked to wait, where the mail is pending again."""

    status: TransactionalMail.Status
    message: str = ""
    provider_id: str = ""
    retry_after: float | None = None


def submit_mail(mail_id: int, *, transport: Transport) -> bool:
    """Submit one pending, due mail; False when it is not to be had. Raises nothing but database errors."""
    mail = TransactionalMail.objects.filter(pk=mail_id, status=Status.PENDING).first()
    if mail is None:
        return False
    attempt = uuid4()
    transport = alarm_transport.transport_for(mail.kind, transport, tries=mail.attempts + 1)
    try:
        body = transport.encode(message_of(mail), [recipient_of(mail)], attempt=attempt)
    except DatabaseError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, trying again would not help
        _fail_unencodable(mail_id, f"{type(error).__name__}: {error}")
        return False
    tries = _claim(mail_id, attempt, before=mail.attempts)
    if not tries:
        return False
    # It never waits for a rate, but what is sent by the thousand waits for it.
    rate_limit.take(transport.name, 1, urgent=True)
    outcome = _post(transport, body)
    persistently(lambda: record(mail_id, attempt, outcome, kind=mail.kind, tries=tries))
    if isinstance(transport, KeepsJournal):
        transport.forget(attempt)
    return True


def submit_waiting(*, transport: Transport, limit: int = AT_ONCE) -> int:
    """Submit the mails that are due, the oldest first, up to a limit; how many were. Raises nothing but database errors.

    Costs one look at a small index when nothing waits.
    """
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, [limit])
        waiting = [mail_id for (mail_id,) in cursor.fetchall()]
    return sum(submit_mail(mail_id, transport=transport) for mail_id in waiting)


def _claim(mail_id: int, attempt: UUID, *, before: int) -> int:
    """Claim it, on disk; the number of this try, or 0 when another worker has it, or has tried since there were so many before."""
    claimed = run_durably(_CLAIM, [attempt, process_identity.current_process(), mail_id, before])
    return int(claimed[0][0]) if claimed else 0


def _post(transport: Transport, body: object) -> Outcome:
    try:
        return transport.post(body)
    except Exception as error:
        # It promises not to raise; should it all the same, the mail may be out.
        log.exception("mail_transport_raised")
        return Unknown(message=f"{type(error).__name__}: {error}"[:300])


def record(mail_id: int, attempt: UUID, outcome: Outcome, *, kind: str, tries: int) -> None:
    """Record the outcome of the POST. Safe to repeat; where recovery has called it unknown meanwhile, this overrules it.

    `kind`: the mail's. `tries`: claims of the mail so far. Raises the database's errors.
    """
    result = said = _result(outcome, tries=tries)
    if kind == TransactionalMail.Kind.ALARM:
        result = _of_an_alarm(result, outcome, tries=tries)
    again = result.status == Status.PENDING
    wait = 0.0
    if again:
        wait = back_off(tries) if result.retry_after is None else result.retry_after
    with transaction.atomic():
        written = TransactionalMail.objects.filter(
            pk=mail_id, attempt=attempt, status__in=[Status.SUBMITTING, Status.UNKNOWN]
        ).update(
            status=result.status,
            said=_stored(result.message),
            provider_id=result.provider_id[:200],
            not_before=Now() + timedelta(seconds=wait),
            finished_at=None if again else Now(),
        )
        if written and again and kind == TransactionalMail.Kind.ALARM and isinstance(outcome, Refused):
            _let_others_wait(mail_id, wait, tries=tries)
        if written and alarm_transport.is_by_alarm_server(kind, tries):
            took_it = said.status == Status.SUBMITTED
            alarm_transport.note_alarm_server("" if took_it else _stored(said.message) or "it did not say why")
    log.info("mail", mail=mail_id, attempt=str(attempt), status=result.status.value, message=result.message or None)
    if written and again and wait <= queue.LONGEST_COUNTDOWN:
        queue.on_commit(lambda: queue.enqueue_mail(mail_id, countdown=wait + 0.05))


def _let_others_wait(mail_id: int, wait: float, *, tries: int) -> None:
    """Other mails about alarms that go the same way next, which is shut: one is enough to learn that it is open again.

    A lost answer shuts nothing.
    """
    others = TransactionalMail.objects.filter(kind=TransactionalMail.Kind.ALARM, status=Status.PENDING)
    if alarm_transport.has_two_ways(TransactionalMail.Kind.ALARM):
        others = others.alias(way=Mod("attempts", 2)).filter(way=(tries - 1) % 2)
    until = Now() + timedelta(seconds=wait)
    others.exclude(pk=mail_id).filter(not_before__lt=until).update(not_before=until)


def _fail_unencodable(mail_id: int, why: str) -> None:
    TransactionalMail.objects.filter(pk=mail_id, status=Status.PENDING).update(
        status=Status.FAILED, said=_stored(f"It cannot be written as a mail: {why}"), finished_at=Now()
    )
    log.error("mail_not_encodable", mail=mail_id, why=why)


def _result(outcome: Outcome, *, tries: int) -> _Result:
    if isinstance(outcome, Partial):
        return _result_of_one(outcome, tries=tries)
    if isinstance(outcome, Accepted):
        return _Result(status=Status.SUBMITTED, provider_id=outcome.provider_id)
    if isinstance(outcome, Unknown):
        return _Result(status=Status.UNKNOWN, message=outcome.message)
    return _Result(status=_status_after(outcome, tries=tries), message=outcome.message, retry_after=outcome.retry_after)


def _result_of_one(outcome: Partial, *, tries: int) -> _Result:
    """A mail has one recipient: the group it is in says all."""
    if outcome.accepted:
        return _Result(status=Status.SUBMITTED)
    if outcome.unknown:
        return _Result(status=Status.UNKNOWN, message=outcome.message)
    if outcome.refused:
        return _Result(status=Status.FAILED, message=outcome.refused.get(0) or outcome.message)
    reason = Reason.TOO_MANY if outcome.put_off else outcome.reason or Reason.NOT_SENT
    message = outcome.put_off.get(0) or outcome.message
    refused = Refused(reason=reason, message=message, retry_after=outcome.retry_after)
    return _Result(status=_status_after(refused, tries=tries), message=message, retry_after=outcome.retry_after)


def _of_an_alarm(result: _Result, outcome: Outcome, *, tries: int) -> _Result:
    reason = outcome.reason if isinstance(outcome, Refused) else None
    is_open = result.status == Status.UNKNOWN or reason in _TRY_ALARM_AGAIN or isinstance(outcome, Partial)
    at_fault = isinstance(outcome, Partial) and outcome.refused
    is_unknown = result.status == Status.UNKNOWN
    # What is wrong with the mail for one way (a server that does not relay for us) may be right for the other.
    is_final = (at_fault or not is_open) and not (alarm_transport.has_two_ways("alarm") and tries < _BOTH_WAYS)
    if result.status == Status.SUBMITTED or is_final or tries >= (MAX_TRIES if is_unknown else MAX_ALARM_TRIES):
        return result
    return replace(result, status=Status.PENDING, retry_after=ALARM_AFTER_UNKNOWN if is_unknown else result.retry_after)


def _status_after(refused: Refused, *, tries: int) -> TransactionalMail.Status:
    return Status.PENDING if refused.reason in _TRY_AGAIN and tries < MAX_TRIES else Status.FAILED


def _stored(text: str) -> str:
    return text.replace("\x00", "")[:400]
