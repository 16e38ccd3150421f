"""A send whose database was restored or promoted under it: what it says is pending may be out already."""

from django.db import transaction

from tasks.alarms.raising import raise_alarm
from tasks.database import identity, row_locks
from tasks.models import Alarm, Attempt, Batch, Send, evidence
from tasks.sends.control import pause

_OPEN_BATCHES = (
    Batch.Status.PENDING,
    Batch.Status.BUILDING,
    Batch.Status.SUBMITTING,
    Batch.Status.UNKNOWN,
)


def pause_for_moved_database(send_id: int, why: str = "") -> None:
    """The database is not the one this send was prepared in: what it says is pending may be out already.

    Its open batches become unknown, and no silence will be believed of their attempts: the proof may be lost too. From
    then on the send names the database as it is now, so that a person's decisions can be carried out. Works inside a
    transaction that has locked no batches or deliveries yet (docs/architecture.md, Lock order), or in one of its own.
    """
    why = why or "The database was restored or promoted since the send was prepared; its open batches are unknown."
    with transaction.atomic():
        row_locks.send_status(send_id, to_change=True)
        raise_alarm(Alarm.Code.DATABASE_MOVED, why, send_id=send_id, mail=True)
        pause(send_id, why)
        database = identity.current()
        Send.objects.filter(pk=send_id).update(system_identifier=database.system_identifier, timeline=database.timeline)
        batches = Batch.objects.filter(send_id=send_id)
        list(batches.filter(status__in=_OPEN_BATCHES).order_by("pk").select_for_update().values_list("pk"))
        batches.filter(status__in=[Batch.Status.PENDING, Batch.Status.BUILDING, Batch.Status.SUBMITTING]).update(
            status=Batch.Status.UNKNOWN
        )
        Attempt.objects.filter(
            batch__send_id=send_id, outcome__in=[Attempt.Outcome.OPEN, Attempt.Outcome.UNKNOWN]
        ).update(outcome=Attempt.Outcome.UNKNOWN, evidence=evidence.with_fact({"kind": "ground_moved", "why": why}))
