"""A database that does not agree with the mark of what was sent: restored from a backup, or another machine's copy, or copied with its mark."""

import contextlib
from collections.abc import Sequence
from datetime import timedelta

import structlog
from django.db.models.functions import Now

from tasks.alarms.raising import clear_alarms, raise_alarm
from tasks.database import high_water, id_sequences
from tasks.database.statements import run
from tasks.models import Alarm, Attempt, Send
from tasks.sends import database_moved

log = structlog.get_logger(__name__)

MARK_MISSING = (
    "Nothing goes out: the file that says how far this installation has sent is missing here, and in Redis. The database may be a "
    "copy or an old backup, and would send again what is out already. Say whether it is the newest there is: newsdesk confirm-database "
    "--newest if it is, --restored if it came from a backup or you do not know."
)

HOME_COPIED = (
    "Nothing goes out: this home was copied or restored from a backup. What was sent after the copy was made is not known here, and would "
    "be sent again. Say whether anything was: newsdesk confirm-database --newest if nothing was, as after a move to another machine, "
    "--restored if something was or may have been."
)
#: Within this whoever finds that all is well has looked: beat has it done every ten seconds.
_FINDS_WITHIN = timedelta(minutes=1)
#: After the last time that it was asked.
_MAILED_AGAIN_AFTER = timedelta(hours=1)


def agrees() -> bool:
    """Whether database and mark agree; if not, an alarm says so, and every open send waits for a person.

    Raises the database's errors, and UnsureError when it cannot be said now.
    """
    mark = high_water.read(high_water.installation())
    last = high_water.last_fence()
    if mark is None:
        if last:
            _ask(Alarm.Code.MARK_MISSING, MARK_MISSING)
        return not last
    if last >= mark.fence:
        if mark.from_copy:
            _ask(Alarm.Code.HOME_COPIED, HOME_COPIED)
        else:
            # Redis may have been empty, or the right home is back.
            clear_alarms(*Alarm.DATABASE_UNCONFIRMED)
        return not mark.from_copy
    hold_open_sends(
        f"The database is older than what was sent from it: it knows of {last} requests, and {mark.fence} were made, the last "
        f"for send {mark.send}. It was restored from a backup or has lost what it committed. What is open may be out already."
    )
    # Only now: whoever dies before begins again.
    high_water.catch_up(mark)
    return False


def _ask(code: Alarm.Code, message: str) -> None:
    """Of two homes on one database, each with a Redis of its own, one asks and the other finds that all is well, every few seconds: mailed once.

    What nobody finds to be well is mailed, soon after an answer too.
    """
    untold = {"mailed_at": None, "post": None}
    lately = Alarm.objects.filter(code=code, raised_at__range=(Now() - _MAILED_AGAIN_AFTER, Now()))
    told = lately.exclude(**untold).exists()
    if (
        told
        and Alarm.objects.filter(code=code, cleared_at=None, raised_at__lt=Now() - _FINDS_WITHIN, **untold).exists()
    ):
        clear_alarms(code)
        told = False
    raise_alarm(code, message, mail=not told)


def look() -> None:
    """Notice that another database serves than before, and hold what cannot go on by itself. Raises the database's errors."""
    with contextlib.suppress(high_water.UnsureError):
        if agrees():
            database_moved.follow_promotion()
            database_moved.hold_sends_under_way()


def hold_open_sends(why: str) -> list[int]:
    """Pause every send that is not over, as one whose database was restored under it; their ids. In a transaction for each.

    A cancelled one stays so, and no silence is believed about what is in doubt of it: what proves it may be lost.
    Ids of readers that the lost database may have given away are passed over.
    """
    log.error("database_behind", why=why)
    held = list(Send.objects.filter(status__in=Send.NOT_OVER).order_by("pk").values_list("pk", flat=True))
    for send_id in held:
        database_moved.pause_for_moved_database(send_id, why)
    for send in database_moved.cancelled_in_doubt():
        database_moved.disbelieve_silence(send.pk, why)
    if not held:
        raise_alarm(Alarm.Code.DATABASE_MOVED, why, mail=True)
    id_sequences.leap()
    return held


def confirm(*, who: str, restored: bool) -> list[int]:
    """A person says what the database is that has no mark, or a copy's: the newest there is, or `restored` from a backup; what was held.

    From then on it has a mark here and in Redis, not below the copy's. Raises OSError when that cannot be written.
    """
    held = (
        hold_open_sends(f"The database was restored from a backup, {who} says: what is open may be out already.")
        if restored
        else []
    )
    last = high_water.Fence(high_water.last_fence(), high_water.installation(), _last_send())
    high_water.advance(last, adopt=True)
    clear_alarms(*Alarm.DATABASE_UNCONFIRMED)
    log.warning("database_confirmed", who=who, restored=restored)
    return held


def hold_sends_with_open_requests(why: str) -> list[int]:
    """Pause the sends with requests of which the end is not known, and believe no silence about these; the ids of the sends.

    For a database that lacks no request: what is pending stays so. What was reported of a request may be lost all the same.
    """
    under_way = Attempt.objects.filter(outcome__in=[Attempt.Outcome.OPEN, Attempt.Outcome.UNKNOWN])
    sends = Send.objects.filter(status__in=Send.NOT_OVER, pk__in=under_way.values("batch__send"))
    held = list(sends.order_by("pk").values_list("pk", flat=True))
    for send_id in held:
        database_moved.pause_for_moved_database(send_id, why, mark_agrees=True)
    return held


def answer(*, who: str, restored: bool) -> list[int] | None:
    """The same as long as it is asked; None, and nothing is changed, once somebody else has said it. Raises OSError and UnsureError."""
    return confirm(who=who, restored=restored) if open_question() else None


def report_sent_after(sends: Sequence[tuple[int, str, int]]) -> None:
    """Raise an alarm for each send (its id then, its edition, readers) that went out after the dump was made."""
    for send_id, title, readers in sends:
        why = (
            f"“{title}” went out to {readers} readers after the backup was made, as send {send_id}: the restored database does "
            "not know. Do not send it to them again."
        )
        raise_alarm(Alarm.Code.DATABASE_MOVED, why, mail=True)


def open_question() -> Alarm.Code | None:
    """The alarm that asks a person what the database is: fences were numbered and no mark is left, or it came with a copy. Raises UnsureError."""
    mark = high_water.read(high_water.installation(), tells_others=False)
    if mark is None:
        return Alarm.Code.MARK_MISSING if high_water.last_fence() else None
    return Alarm.Code.HOME_COPIED if mark.from_copy else None


def _last_send() -> int:
    ((send,),) = run(
        "SELECT COALESCE(max(b.send_id), 0) FROM tasks_attempt a JOIN tasks_batch b ON b.id = a.batch_id", ()
    )
    return int(send)
