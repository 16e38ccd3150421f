"""A send whose time was over long before it could be prepared waits for a person.

Services that were down over its time, or a database restored from before it: what was meant for Friday morning is not right on
Sunday by itself, and may be out already. One that is held over its time waits for a person too, who is told. How late is too late says the recurrence for a slot's send, else NEWSDESK_LATE_GRACE.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from tasks.alarms.raising import raise_alarm
from tasks.database import clock
from tasks.models import Alarm, Send, Slot
from tasks.sends import control
from tasks.slots import missed_slots
from tasks.slots.strings import duration, slot_time

#: So long a due send may fail before somebody is told.
_FAILING_FOR = timedelta(minutes=3)
_AGAIN_AFTER = timedelta(days=1)


def hold_if_too_late(send: Send) -> bool:
    """Hold a slot's send, pause any other, whose time is over by more than may be; True when it was.

    For a send that is about to be prepared, its row locked. Counted from when somebody last decided about it: whoever schedules,
    resumes or releases it after its time wants it now.
    """
    now = clock.now()
    late = now - _wanted_at(send)
    slot = Slot.objects.filter(send=send, outcome="").first()
    if slot is not None:
        if late <= missed_slots.grace(slot):
            return False
        missed_slots.hold(send, slot, now - send.scheduled_at)
        return True
    if late <= timedelta(seconds=settings.LATE_GRACE):
        return False
    return control.pause(send.pk, too_late(send, now - send.scheduled_at))


def tell_of_failing(send_id: int, error: Exception) -> None:
    """Raise the alarm about a send that is due for some minutes and whose preparation the database ends each time; once a day at most."""
    send = Send.objects.get(pk=send_id)
    if clock.now() - _wanted_at(send) < _FAILING_FOR:
        return
    why = " ".join(str(error).split())[:200]
    raise_alarm(
        Alarm.Code.UNPREPARED,
        f"Send {send_id} is due and cannot be prepared: the database says “{why}”. It is tried again every few seconds, and goes out once "
        "the database lets it.",
        send_id=send_id,
        mail=True,
        again_after=_AGAIN_AFTER,
    )


def tell_of_held() -> None:
    """Raise the alarm about each send whose time has come while its edition was reopened, once for each time that it is held.

    A slot's send has its own alarms. Raises the database's errors.
    """
    held = Send.objects.filter(
        status=Send.Status.PAUSED, held_at__isnull=False, prepared_at__isnull=True, scheduled_at__lte=Now()
    )
    told = Alarm.objects.filter(send=OuterRef("pk"), code=Alarm.Code.SEND_HELD, raised_at__gte=OuterRef("held_at"))
    of_slot = Slot.objects.filter(send=OuterRef("pk"))
    for send in held.filter(~Exists(told), ~Exists(of_slot)).select_related("edition__publication", "approval"):
        if not send.approval.stands:
            raise_alarm(
                Alarm.Code.SEND_HELD,
                f"{send.edition} was to go out {slot_time(send.edition, send.scheduled_at)}, and was reopened before: send {send.pk} is held "
                "until somebody approves it again, or cancels the send.",
                send_id=send.pk,
                publication_id=send.edition.publication_id,
                edition_id=send.edition_id,
                mail=True,
            )


def too_late(send: Send, late: timedelta) -> str:
    """Why a send is paused whose time was over by `late`, and what can be done."""
    return (
        f"It was due {slot_time(send.edition, send.scheduled_at)} and is {duration(late)} late: Newsdesk was not running, or its "
        "database was restored. Resume it, and it goes out at once; cancel it if its readers have it, or should not get it now."
    )


def _wanted_at(send: Send) -> datetime:
    """Its time, or when somebody last decided about it if that was later."""
    decided = send.actions.order_by("-at").values_list("at", flat=True).first()
    return max(send.scheduled_at, send.created_at, decided or send.created_at)
