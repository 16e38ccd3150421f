"""What becomes of one edition's slot. A row per publication and moment says so, once, under a lock.

Locks are taken in this order: the edition, an existing send, the slot's row. Whoever approves holds the edition as well, so
that a slot is decided before or after an approval, never in the middle of it.
"""

from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models.functions import Now

from composer.models import Edition
from tasks.alarms.raising import raise_alarm
from tasks.database import clock
from tasks.models import Alarm, Recurrence, Send, Slot
from tasks.sends.audit_trail import record_action
from tasks.sends.scheduling import first_moment, schedule
from tasks.slots.rescheduling import move_to_next_slot

log = structlog.get_logger(__name__)

#: How long before its slot an edition should be approved.
NOTICE = timedelta(hours=2)
#: A send that was prepared by so much after its time was on time.
ON_TIME = timedelta(minutes=5)
#: How long a draft keeps a slot that is over, where no recurrence says.
USUAL_LATE = timedelta(minutes=720)
#: The earliest and the latest clock are 26 hours apart.
_CLOCKS_APART = timedelta(hours=26)


@transaction.atomic
def decide(edition_id: int, *, now: datetime | None = None) -> None:
    """Do what is due for the slot of this edition: schedule, warn, or state that it was missed. May be repeated freely."""
    now = now or clock.now()
    edition = Edition.objects.select_for_update(no_key=True, of=("self",)).get(pk=edition_id)
    if edition.slot is None:
        return
    passed = edition.slot <= now
    row = _row(edition)
    if row is not None and not passed and _is_anothers(row, edition):
        _begin_anew(row, edition)
    if row is not None and row.outcome:
        return
    recurrence = active_recurrence(edition.publication_id)
    if edition.approval is None and not passed:
        _warn(edition, recurrence, now)
    elif row is not None and row.send is not None:
        if passed:
            _conclude(row, row.send, edition, now)
    elif edition.approval is None:
        _unapproved_over(edition, recurrence, now)
    elif recurrence is not None and edition.slot > recurrence.created_at:
        _approved(edition, recurrence, now)


def active_recurrence(publication_id: int) -> Recurrence | None:
    return Recurrence.objects.filter(publication=publication_id, active=True).select_related("segment").first()


def late_of(recurrence: Recurrence | None) -> timedelta:
    return timedelta(minutes=recurrence.late_minutes) if recurrence else USUAL_LATE


def hold_if_missed(send: Send) -> bool:
    """Hold the send when it was made for a slot that is over by more than may be; True when it was held.

    For a send that is about to be prepared, its row locked. Whoever resumes or releases it has decided otherwise.
    """
    slot = Slot.objects.filter(send=send).first()
    if slot is None or slot.outcome:
        return False
    recurrence = Recurrence.objects.filter(publication=slot.publication_id).first()
    now = clock.now()
    over = now - send.scheduled_at
    if over <= max(late_of(recurrence), ON_TIME):
        return False
    if send.actions.filter(what="resumed", at__gte=send.scheduled_at).exists():
        return False
    why = f"Its slot was missed by {_words(over)}: newsdesk release {send.pk} --now, or --next-slot."
    Send.objects.filter(pk=send.pk).update(status=Send.Status.PAUSED, held_at=Now(), pause_reason=why)
    record_action(send.pk, "held", why=why)
    if _close(slot, Slot.Outcome.MISSED):
        _alarm_missed(send.edition, send.scheduled_at, why, send_id=send.pk)
    return True


def _row(edition: Edition, *, make: bool = False) -> Slot | None:
    """The slot's row, locked; with `make`, made if it is missing."""
    assert edition.slot is not None
    if make:
        Slot.objects.get_or_create(
            publication_id=edition.publication_id, at=edition.slot, defaults={"edition": edition}
        )
    return (
        Slot.objects.select_for_update(no_key=True, of=("self",))
        .filter(publication=edition.publication_id, at=edition.slot)
        .first()
    )


def _is_anothers(row: Slot, edition: Edition) -> bool:
    """Whether what the row says was said of an edition that has left the slot. A send that is held still decides."""
    return row.edition_id != edition.pk and (row.send is None or row.send.status == Send.Status.CANCELLED)


def _begin_anew(row: Slot, edition: Edition) -> None:
    row.edition, row.send, row.outcome = edition, None, Slot.Outcome.OPEN
    row.warned_at = row.decided_at = None
    row.save(update_fields=["edition", "send", "outcome", "warned_at", "decided_at"])


def _close(slot: Slot, outcome: str) -> bool:
    """State the outcome; False when another has been stated."""
    return bool(Slot.objects.filter(pk=slot.pk, outcome="").update(outcome=outcome, decided_at=Now()))


def _conclude(slot: Slot, send: Send, edition: Edition, now: datetime) -> None:
    """The slot's send exists and its time is over: what became of it?"""
    if send.prepared_at is not None:
        on_time = send.prepared_at - send.scheduled_at <= ON_TIME
        _close(slot, Slot.Outcome.SENT if on_time else Slot.Outcome.LATE)
    elif send.status == Send.Status.CANCELLED:
        _close(slot, Slot.Outcome.SKIPPED)
    over = send.held_at is not None and now - slot.at > late_of(active_recurrence(slot.publication_id))
    # Nobody approved it again. Whoever does so is asked what shall become of the send.
    if over and send.prepared_at is None and _close(slot, Slot.Outcome.MISSED):
        _alarm_missed(edition, slot.at, f"Send {send.pk} is held: approve the edition again.", send_id=send.pk)


def _approved(edition: Edition, recurrence: Recurrence, now: datetime) -> None:
    assert edition.slot is not None
    row = _row(edition, make=True)
    assert row is not None
    if row.outcome or row.send_id:
        return
    lists = list(recurrence.lists.all())
    if _sent_by_hand(edition, recurrence):
        _close(row, Slot.Outcome.SKIPPED)
        return
    late = now - edition.slot
    if late > timedelta(0) and late > late_of(recurrence):
        _close(row, Slot.Outcome.MISSED)
        why = f"It was approved {_words(late)} too late; newsdesk send sends it, or reopen it and give it another slot."
        _alarm_missed(edition, edition.slot, why)
        return

    def bind(send: Send) -> None:
        row.edition, row.send = edition, send
        row.save(update_fields=["edition", "send"])
        if late > timedelta(0):
            _close(row, Slot.Outcome.LATE)

    when: dict[str, Any] = {"at": edition.slot}
    if recurrence.local_time:
        when = {"local_at": on_their_clocks(edition)}
    send = schedule(edition, lists=lists, segment=recurrence.segment, after=bind, **when)
    log.info("slot_scheduled", publication=edition.publication_id, edition=edition.pk, send=send.pk)


def on_their_clocks(edition: Edition) -> datetime:
    """The slot as the publication's clock shows it, without an offset."""
    assert edition.slot is not None
    return edition.slot.astimezone(edition.publication.zone).replace(tzinfo=None)


def _sent_by_hand(edition: Edition, recurrence: Recurrence) -> bool:
    """Whether a person has given the edition to all of the recurrence's readers already."""
    list_ids = set(recurrence.lists.values_list("pk", flat=True))
    for send in Send.objects.filter(edition=edition).exclude(status=Send.Status.CANCELLED):
        everybody = send.segment_rule is None or send.segment_id == recurrence.segment_id
        if everybody and list_ids <= set(send.lists.values_list("pk", flat=True)):
            return True
    return False


def _warn(edition: Edition, recurrence: Recurrence | None, now: datetime) -> None:
    """Two hours before the first reader would get it, say once that nobody has approved it."""
    assert edition.slot is not None
    begins = edition.slot
    if recurrence is not None and recurrence.local_time and begins - now <= NOTICE + _CLOCKS_APART:
        begins = min(begins, first_moment(edition, list(recurrence.lists.all()), on_their_clocks(edition)))
    if begins - now > NOTICE:
        return
    row = _row(edition, make=True)
    assert row is not None
    if row.warned_at is not None:
        return
    Slot.objects.filter(pk=row.pk).update(warned_at=Now())
    raise_alarm(
        Alarm.Code.SLOT_UNAPPROVED,
        f"{edition} is not approved, and its slot is {_at(edition, edition.slot)}.",
        publication_id=edition.publication_id,
        edition_id=edition.pk,
        mail=True,
    )


def _unapproved_over(edition: Edition, recurrence: Recurrence | None, now: datetime) -> None:
    """Nobody approved it in time: the slot is given up, and a draft that was never sent moves to the next one."""
    assert edition.slot is not None
    if now - edition.slot <= late_of(recurrence):
        return
    missed = edition.slot
    row = _row(edition, make=True)
    assert row is not None
    counts = recurrence is not None and missed > recurrence.created_at and not _sent_by_hand(edition, recurrence)
    if not _close(row, Slot.Outcome.MISSED if counts else Slot.Outcome.SKIPPED):
        return
    moved_to = None if edition.sends.exists() else move_to_next_slot(edition, now)
    if counts:
        where = f"it is now for {_at(edition, moved_to)}." if moved_to else "give it another slot."
        _alarm_missed(edition, missed, f"Nobody had approved it; {where}")


def _alarm_missed(edition: Edition, slot: datetime, why: str, *, send_id: int | None = None) -> None:
    raise_alarm(
        Alarm.Code.SLOT_MISSED,
        f"{edition} missed its slot {_at(edition, slot)}. {why}",
        send_id=send_id,
        publication_id=edition.publication_id,
        edition_id=edition.pk,
        mail=True,
    )


def _at(edition: Edition, moment: datetime) -> str:
    local = moment.astimezone(edition.publication.zone)
    return f"{local:%Y-%m-%d %H:%M} ({edition.publication.timezone})"


def _words(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    if minutes < 120:
        return f"{minutes} minutes"
    return f"{minutes // 60} hours" if minutes < 48 * 60 else f"{minutes // 1440} days"
