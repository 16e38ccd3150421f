"""Whether a send may be out already without the database's knowing: its alarms tell."""

from collections.abc import Iterable

from tasks.models import Alarm, Send

#: What the alarm says where another copy of the database serves that lacks no request.
PROMOTED = (
    "Another copy of the database serves since the send was scheduled or prepared. It knows of every request that was made, so that nothing "
    "goes out twice: resume the send. What was committed in the other's last moments may be missing, such as readers who had just left."
)
#: The same of one that was made from a backup.
RESTORED = (
    "The database was restored from a backup since the send was scheduled or prepared. It knows of every request that was made, so that "
    "nothing goes out twice. What was decided after the backup is missing: the send may have been cancelled or paused, or its edition "
    "reopened. Look at it, then resume or cancel it."
)
#: What it says, or whoever wants to go on is told, where it may lack some.
MAY_BE_OUT = (
    "The database was restored or promoted since the send was scheduled: it may have gone out already. "
    "Cancel it, and schedule it again if it has not."
)


def may_be_out(send: Send) -> bool:
    """Whether it was never prepared as far as this database knows, and an alarm said that the database may know too little.

    Also once a person has cleared the alarm: that does not tell what went out.
    """
    return bool(may_be_out_of([send]))


def may_be_out_of(sends: Iterable[Send]) -> set[int]:
    """The same of several: the ids of those that may be out. One query at most."""
    unprepared = {send.pk for send in sends if not send.prepared_at}
    if not unprepared:
        return set()
    alarms = Alarm.objects.filter(send__in=unprepared, code=Alarm.Code.DATABASE_MOVED)
    return set(alarms.exclude(message__in=[PROMOTED, RESTORED]).values_list("send", flat=True))
