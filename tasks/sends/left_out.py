"""Readers whom one send left out because another had them, which was then cancelled: nobody would tell them apart later.

The exclusion names the other send. At its cancel, as what it had in flight comes back, and when what was in doubt proves not to have
gone out (a day later, or when a person decides), they are counted; an alarm says so and leads to a send to exactly them
(`tasks.sends.resend_to_missed`).
"""

from datetime import timedelta

from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from tasks.alarms.raising import clear_alarms, raise_alarm
from tasks.audience import left_out_readers
from tasks.models import Alarm, Exclusion, Send

#: What was in flight at a cancel has come back by then: a request's time, and a lost worker's.
_FOLLOWED = timedelta(hours=1)


def tell(send_id: int, *, anew: bool = False) -> int:
    """Raise the alarm about a cancelled send, keep its number up to date, or clear it when nobody is left; how many there are.

    One that a person has cleared stays so, unless there are others now (`anew`). Raises the database's errors.
    """
    readers = left_out_readers.count(send_id)
    told = Alarm.objects.filter(send_id=send_id, code=Alarm.Code.LEFT_OUT)
    if not readers:
        clear_alarms(Alarm.Code.LEFT_OUT, send_id=send_id)
    elif not (told.filter(cleared_at=None) if anew else told).exists():
        raise_alarm(Alarm.Code.LEFT_OUT, _message(send_id, readers), send_id=send_id, mail=True)
    else:
        told.filter(cleared_at=None).update(message=_message(send_id, readers))
    return readers


def look() -> None:
    """Do the same for every send that was cancelled lately. Raises the database's errors."""
    waited_for = Exclusion.objects.filter(other_send_id=OuterRef("pk"))
    lately = Send.objects.filter(status=Send.Status.CANCELLED, finished_at__gt=Now() - _FOLLOWED)
    for send_id in lately.filter(Exists(waited_for)).values_list("pk", flat=True):
        tell(send_id)


def _message(send_id: int, readers: int) -> str:
    edition = Send.objects.select_related("edition").get(pk=send_id).edition
    sends = left_out_readers.leaving_sends(send_id)
    whose = f"{readers:,} reader{' gets' if readers == 1 else 's get'}"
    which = f"send{'' if len(sends) == 1 else 's'} {', '.join(map(str, sends[:5]))}"
    return (
        f"{whose} “{edition}” from no send: {which} left them out because send {send_id} had them, which was cancelled. Send it to "
        f"exactly them: newsdesk send-rest {send_id} --left-out."
    )
