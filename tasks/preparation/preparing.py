"""Preparing a due send: in one transaction its audience is frozen and its batches are written; a crash leaves nothing."""

from datetime import datetime

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.db.backends.utils import CursorWrapper
from django.db.models.functions import Now

from newsdesk.core import advisory_locks, disk_space
from newsdesk.core.advisory_locks import AdvisoryLock
from subscribers.segments import RuleError
from tasks import queue
from tasks.alarms.raising import clear_alarms
from tasks.audience.freezing import CountsDoNotAddUpError, Prepared, freeze
from tasks.database import high_water, identity, partitions
from tasks.database.durability import durable
from tasks.models import Alarm, Send, Slot
from tasks.preparation import lateness
from tasks.sends import (
    archives,
    control,
    database_behind,
    database_moved,
    few_readers,
    finishing,
    heartbeat_pings,
    wake_ups,
)
from tasks.sends.audit_trail import record_action

log = structlog.get_logger(__name__)

#: For as long as the transaction runs: memory for sorting a million readers, and what a page costs that is read out of order from a disk
#: without moving parts, or from memory. So few suppressions are looked up, instead of every reader's address being read for them.
_FOR_SETS = "SELECT set_config('work_mem', '128MB', true), set_config('random_page_cost', '1.1', true)"
#: Deliveries from which on it costs less to tell the planner of them than to have it guess.
_MANY = 10_000
#: Written last: the time in which the send can be undone begins when all the work is done.
_BATCHES = """
INSERT INTO tasks_batch (id, send_id, variant_id, tracked, size, status, not_before, attempts, lost_attempts, rounds, claimed_by,
                         excluded, failed, delivered, bounced, complained, unsubscribed, opened, clicked)
SELECT batch_id, %s, variant_id, tracked, members, 'pending', GREATEST(at, %s), 0, 0, 0, '', 0, 0, 0, 0, 0, 0, 0, 0 FROM cut
"""


def prepare_due() -> int:
    """Prepare every send whose time has come; how many. Raises the database's errors where it is away, and SoftTimeLimitExceeded.

    A send at which the database ends the statement, though it is there, keeps nobody behind it waiting: it is tried again, and an alarm says
    so once it has been in vain for long.
    """
    lateness.tell_of_held()
    due = Send.objects.filter(status=Send.Status.SCHEDULED, scheduled_at__lte=Now()).order_by("scheduled_at", "pk")
    if due.exists() and not _may_prepare():
        return 0
    prepared = 0
    for send_id in list(due.values_list("pk", flat=True)):
        try:
            prepared += prepare(send_id) is not None
        except SoftTimeLimitExceeded:
            raise
        except (OperationalError, InterfaceError) as error:
            if not connection.is_usable():
                raise
            log.warning("send_not_prepared_yet", send=send_id, error=str(error).strip())
            lateness.tell_of_failing(send_id, error)
        except Exception as error:
            # It must not block the others behind it, nor be tried for ever in silence.
            log.exception("send_not_prepared", send=send_id)
            control.pause(send_id, f"It could not be prepared: {type(error).__name__}: {error}")
    return prepared


def _may_prepare() -> bool:
    try:
        return database_behind.agrees()
    except high_water.UnsureError as unsure:
        log.warning("mark_not_read", error=str(unsure))
        return False


def prepare(send_id: int) -> Prepared | None:
    """Freeze the audience of a due send and start it; None when it is not due, another process has it, or the disk has no room.

    A send that cannot be prepared is paused with the reason. Raises the database's errors.
    """
    if disk_space.is_too_short_to_send(settings.HOME.path):
        log.warning("send_waits_for_disk_space", send=send_id)
        return None
    try:
        with durable():
            prepared = _prepare(send_id)
    except (CountsDoNotAddUpError, RuleError) as error:
        control.pause(send_id, f"It could not be prepared: {error}")
        return None
    if prepared is not None:
        clear_alarms(Alarm.Code.UNPREPARED, send_id=send_id)
        log.info("send_prepared", send=send_id, candidates=prepared.candidates, batches=prepared.batches)
        wake_ups.wake_for_pending(send_id)
        if prepared.deliveries >= _MANY:
            partitions.count_for(send_id)
        heartbeat_pings.started(send_id)
        few_readers.look(send_id)
        if 0 < settings.UNDO_SECONDS <= queue.LONGEST_COUNTDOWN:
            for _ in range(min(prepared.batches, wake_ups.WORKERS_AT_MOST)):
                queue.enqueue_worker_loop(countdown=settings.UNDO_SECONDS + 0.05)
        finishing.finish_if_done(send_id)
    return prepared


def _prepare(send_id: int) -> Prepared | None:
    send = (
        Send.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("approval__edition__publication")
        .filter(pk=send_id, status=Send.Status.SCHEDULED, scheduled_at__lte=Now())
        .first()
    )
    if send is None:
        return None
    if not send.approval.stands:
        control.pause(send_id, "The edition was reopened after it was scheduled: approve it and schedule it again.")
        return None
    if not send.edition.publication.has_known_zone and (send.local_at or Slot.objects.filter(send=send).exists()):
        # An alarm says so (tasks/alarms/timezones.py).
        log.warning("send_waits_for_timezone", send=send_id, timezone=send.edition.publication.timezone)
        return None
    here = identity.current()
    if _pause_if_database_moved(send, here) or lateness.hold_if_too_late(send):
        return None
    with connection.cursor() as cursor:
        cursor.execute(_FOR_SETS)
        # Two sends of one edition must see each other's deliveries.
        advisory_locks.lock_edition_for_transaction(cursor, send.edition_id)
        if gone := archives.archived_of_edition(send.edition_id):
            why = archives.why_not_again(gone)
            control.pause(send_id, f"It could not be prepared: {why}.")
            return None
        if send.edition.publication.frequency_cap:
            # And so must two that count a reader's mails.
            advisory_locks.lock_for_transaction(cursor, AdvisoryLock.FREQUENCY_CAP)
        prepared = freeze(cursor, send)
        start = _undo_until(cursor)
        cursor.execute(_BATCHES, [send_id, start])
        if cursor.rowcount != prepared.batches:
            raise CountsDoNotAddUpError(f"{prepared.batches} batches were cut, {cursor.rowcount} were written")
        cursor.execute("DROP TABLE IF EXISTS prepared, counted, places, kinds, cut")
    _start(send, prepared, here, undo_until=start)
    record_action(send_id, "prepared", why=f"{prepared.candidates} candidates, {prepared.deliveries} deliveries")
    return prepared


def _undo_until(cursor: CursorWrapper) -> datetime:
    """The moment before which nothing goes out."""
    cursor.execute("SELECT clock_timestamp() + make_interval(secs => %s)", [settings.UNDO_SECONDS])
    start: datetime = cursor.fetchone()[0]
    return start


def _pause_if_database_moved(send: Send, here: identity.DatabaseIdentity) -> bool:
    """True, and the send is paused, when the database is not the one it was scheduled in."""
    if not database_moved.has_moved(send, here):
        return False
    database_moved.pause_for_moved_database(send.pk, mark_agrees=_mark_agrees())
    return True


def _mark_agrees() -> bool:
    """Whether the database knows of every request that was made; False where that cannot be said now."""
    try:
        return high_water.agrees()
    except high_water.UnsureError:
        return False


def _start(send: Send, prepared: Prepared, here: identity.DatabaseIdentity, *, undo_until: datetime) -> None:
    send.status = Send.Status.SENDING
    send.candidates = prepared.candidates
    send.excluded = prepared.excluded
    for name, value in here.as_fields.items():
        setattr(send, name, value)
    send.prepared_at = Now()
    send.undo_until = undo_until if settings.UNDO_SECONDS else None
    send.canary_batch = prepared.canary_batch
    send.save(
        update_fields=[
            "status",
            "canary_batch",
            "candidates",
            "excluded",
            *here.as_fields,
            "prepared_at",
            "undo_until",
        ]
    )
