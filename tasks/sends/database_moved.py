"""A send whose database was restored or promoted under it: what it says is pending may be out already."""

from datetime import timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from tasks.alarms.raising import raise_alarm
from tasks.database import identity, row_locks
from tasks.models import Alarm, Attempt, Batch, Send, evidence
from tasks.sends import database_doubts
from tasks.sends.control import pause

_UNSETTLED = (Batch.Status.PENDING, Batch.Status.BUILDING, Batch.Status.SUBMITTING)
_OPEN_BATCHES = (*_UNSETTLED, Batch.Status.UNKNOWN)
_MOVED = "The database was restored or promoted since the send was prepared; its open batches are unknown."
#: So far ahead nobody has begun with a send, by whatever clock.
_STILL_AHEAD = timedelta(minutes=5)


def follow_promotion() -> None:
    """Sends whose time is yet to come go on with a promoted copy that lacks no fence: nobody can have prepared them before.

    Not with one that was made from a backup, even in the same server: what was decided after the backup is missing there.
    To be called when the database agrees with its mark. Raises the database's errors.
    """
    database = identity.current()
    to_come = Send.objects.filter(
        Q(table_oid=database.table_oid) | Q(table_oid=None),
        status=Send.Status.SCHEDULED,
        scheduled_at__gt=Now() + _STILL_AHEAD,
        system_identifier=database.system_identifier,
    ).exclude(timeline=database.timeline)
    _belong_to(database, to_come)


def hold_sends_under_way() -> None:
    """Sends that were under way when another database took over wait for a person, also those of which nothing is to be claimed any more.

    What the other one had been told of their requests may be lost, so that silence about them says nothing; nor about those of a cancelled
    send, which stays cancelled. To be called when the database agrees with its mark. Raises the database's errors.
    """
    database = identity.current()
    prepared = Send.objects.filter(prepared_at__isnull=False).order_by("pk")
    for send in prepared.filter(status__in=[Send.Status.SENDING, Send.Status.PAUSED]):
        if has_moved(send, database):
            pause_for_moved_database(send.pk, mark_agrees=True)
    for send in cancelled_in_doubt():
        if has_moved(send, database):
            disbelieve_silence(send.pk)


def cancelled_in_doubt() -> QuerySet[Send]:
    """Cancelled sends of which a request is in doubt still, or on its way, by their ids."""
    in_doubt = (Batch.objects.undecided() | Batch.objects.filter(status=Batch.Status.SUBMITTING)).values("send")
    return Send.objects.filter(status=Send.Status.CANCELLED, prepared_at__isnull=False, pk__in=in_doubt).order_by("pk")


def follow_restore() -> None:
    """Sends that are not over go on with a restored dump. To be called once those are held that cannot."""
    _belong_to(identity.current(), Send.objects.filter(status__in=Send.NOT_OVER))


def _belong_to(database: identity.DatabaseIdentity, sends: QuerySet[Send]) -> None:
    """One by one, in the order of their ids."""
    for send_id in sends.order_by("pk").values_list("pk", flat=True):
        sends.filter(pk=send_id).update(**database.as_fields)


def has_moved(send: Send, database: identity.DatabaseIdentity) -> bool:
    """Whether this is another database than the one it was scheduled or prepared in, as far as the send says which that was.

    What `identity.MOVED_SQL` asks in a statement.
    """
    where = (send.system_identifier, send.timeline, send.table_oid or database.table_oid)
    return bool(send.system_identifier) and where != (database.system_identifier, database.timeline, database.table_oid)


def pause_for_moved_database(send_id: int, why: str = "", *, mark_agrees: bool = False) -> None:
    """The database is not the one this send was prepared in: what it says is pending may be out already.

    Its open batches become unknown, and no silence will be believed of their attempts: the proof may be lost too. From
    then on the send names the database as it is now, so that a person's decisions can be carried out. Works inside a
    transaction that has locked no batches or deliveries yet (docs/architecture.md, Lock order), or in one of its own.

    `mark_agrees`: it has just been compared with the mark (`tasks.database.high_water`). Then another one of the same system, such as a
    promoted copy, which has another timeline, lacks no fence: what it says is pending or to be prepared stays so, and a person has only to resume the send.
    """
    with transaction.atomic():
        row_locks.send_status(send_id, to_change=True)
        database = identity.current()
        send = Send.objects.get(pk=send_id)
        lacks_nothing = mark_agrees and send.system_identifier == database.system_identifier
        why = why or _why(send, database, lacks_nothing=lacks_nothing)
        raise_alarm(Alarm.Code.DATABASE_MOVED, why, send_id=send_id, mail=True)
        pause(send_id, why)
        attempts = disbelieve_silence(send_id, why)
        if not lacks_nothing:
            attempts.update(outcome=Attempt.Outcome.UNKNOWN)
            Batch.objects.filter(send_id=send_id, status__in=_UNSETTLED).update(status=Batch.Status.UNKNOWN)


def disbelieve_silence(send_id: int, why: str = "") -> QuerySet[Attempt]:
    """Believe no silence of the send's attempts that have no end, which it gives back, and let it belong to the database as it is now.

    Raises the database's errors.
    """
    with transaction.atomic():
        Send.objects.filter(pk=send_id).update(**identity.current().as_fields)
        batches = Batch.objects.filter(send_id=send_id, status__in=_OPEN_BATCHES)
        list(batches.order_by("pk").select_for_update().values_list("pk"))
        attempts = Attempt.objects.filter(
            batch__send_id=send_id, outcome__in=[Attempt.Outcome.OPEN, Attempt.Outcome.UNKNOWN]
        )
        attempts.update(evidence=evidence.with_fact({"kind": "ground_moved", "why": why}))
        return attempts


def _why(send: Send, database: identity.DatabaseIdentity, *, lacks_nothing: bool) -> str:
    if not lacks_nothing:
        return _MOVED if send.prepared_at else database_doubts.MAY_BE_OUT
    return database_doubts.PROMOTED if send.table_oid in {None, database.table_oid} else database_doubts.RESTORED
