"""Sends whose edition was reopened: held until it is approved again, or until a person says what becomes of them.

Locks: the edition, then its sends by id, then slots. A held send is paused, and `resume` refuses it.
"""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from composer.approval import ApprovalRefusedError
from composer.models import Approval, Edition
from newsdesk.core.errors import RefusedError
from tasks import queue
from tasks.alarms.raising import raise_alarm
from tasks.database import clock
from tasks.models import Alarm, Send, Slot
from tasks.sends.audit_trail import record_action
from tasks.sends.scheduling import first_moment, sender_domain
from tasks.slots.deciding import on_their_clocks
from tasks.slots.rescheduling import take_next_slot

_OPEN = (Send.Status.SCHEDULED, Send.Status.SENDING, Send.Status.PAUSED)
#: Before the reason of a pause that is older than the reopening; giving the send back leaves that pause alone.
_WAS_PAUSED = "It was paused before: "


class ReleaseError(RefusedError):
    """The send cannot go on as asked; the message says what to do."""


def hold_sends(edition: Edition, *, by: Any = None, who: str = "") -> list[Send]:
    """Hold every send of the edition that is not prepared yet; in the caller's transaction, the edition locked.

    Raises ApprovalRefused when one is under way: its bytes are those of the approval.
    """
    sends = list(
        Send.objects.select_for_update(of=("self",), no_key=True)
        .filter(edition=edition, approval__voided_at__isnull=True, status__in=_OPEN)
        .order_by("pk")
    )
    for send in sends:
        if send.prepared_at is not None or send.status == Send.Status.SENDING:
            raise ApprovalRefusedError(
                f"Send {send.pk} of this edition is {send.get_status_display()}; "
                "cancel it first, or wait until it is sent."
            )
    name = who or (by.get_username() if by is not None else "the command line")
    for send in sends:
        already = send.held_at is not None
        earlier = f"{_WAS_PAUSED}{send.pause_reason}" if send.status == Send.Status.PAUSED and not already else ""
        send.status, send.held_at = Send.Status.PAUSED, send.held_at or Now()
        send.pause_reason = f"{name} reopened the edition: approve it again, and the send goes on."[:500]
        send.save(update_fields=["status", "held_at", "pause_reason"])
        if not already:
            record_action(send.pk, "held", why=earlier or send.pause_reason, by=by, who=who)
    return sends


def restore_sends(edition: Edition, approval: Approval, *, by: Any = None, who: str = "") -> None:
    """Give held sends the new approval, and those whose time is still ahead back to their schedule.

    The others stay held, and an alarm asks a person: now, or the next slot? In the transaction of the approval.
    """
    Alarm.objects.filter(edition=edition, code=Alarm.Code.SLOT_UNAPPROVED, cleared_at=None).update(cleared_at=Now())
    if edition.slot is not None:
        Slot.objects.filter(publication=edition.publication_id, at=edition.slot, outcome="").update(warned_at=None)
    now = clock.now()
    for send in _held(edition):
        send.approval, send.sender_domain = approval, sender_domain(approval)
        due = _follow_slot(send, edition, now)
        if due is None or due <= now:
            send.pause_reason = (
                f"Its time passed while the edition was reopened: newsdesk release {send.pk} --now, or --next-slot."
            )
            send.save(update_fields=["approval", "sender_domain", "pause_reason"])
            raise_alarm(
                Alarm.Code.SEND_HELD,
                f"{edition} is approved again, but the time of send {send.pk} has passed: "
                "shall it go out now, or with the next slot?",
                send_id=send.pk,
                publication_id=edition.publication_id,
                edition_id=edition.pk,
                mail=True,
            )
            continue
        _restore(send, due, by=by, who=who)


def release_now(send_id: int, *, by: Any = None, who: str = "") -> Send:
    """Let a held send go out at once; of a local-time send, those whose time is still ahead get it then.

    Raises CannotRelease.
    """
    with transaction.atomic():
        send = _held_one(send_id)
        send.scheduled_at = min(send.scheduled_at, clock.now())
        _go_on(send)
        Slot.objects.filter(send=send).filter(Q(outcome="") | Q(outcome=Slot.Outcome.MISSED)).update(
            outcome=Slot.Outcome.LATE, decided_at=Now()
        )
        record_action(send.pk, "released", why="now", by=by, who=who)
        queue.on_commit(queue.enqueue_send, send.pk)
    return send


def release_to_next_slot(send_id: int, *, by: Any = None, who: str = "") -> Send:
    """Let a held send, and its edition, go out with the publication's next slot.

    Raises CannotRelease, also where the publication has no weekly slot.
    """
    with transaction.atomic():
        send = _held_one(send_id)
        edition = send.edition
        slot = take_next_slot(edition, clock.now())
        if slot is None:
            raise ReleaseError(f"{edition.publication.slug} has no weekly slot: release it with --now, or cancel it")
        _bind(send, edition)
        _reschedule(send, edition, slot)
        _go_on(send)
        record_action(send.pk, "released", why=f"with the slot {slot.isoformat()}", by=by, who=who)
    return send


def held_sends(edition: Edition) -> list[Send]:
    """The edition's sends that wait for an approval or for a person's word."""
    return list(Send.objects.filter(edition=edition, status=Send.Status.PAUSED, held_at__isnull=False).order_by("pk"))


def _held(edition: Edition) -> list[Send]:
    held = Send.objects.filter(
        edition=edition, status=Send.Status.PAUSED, held_at__isnull=False, prepared_at__isnull=True
    )
    return list(held.select_for_update(of=("self",), no_key=True).order_by("pk"))


def _held_one(send_id: int) -> Send:
    """The send, with its edition locked before it."""
    edition_id = Send.objects.filter(pk=send_id).values_list("edition", flat=True).first()
    edition = (
        Edition.objects.select_for_update(no_key=True, of=("self",)).select_related("publication").get(pk=edition_id)
        if edition_id is not None
        else None
    )
    send = next((one for one in _held(edition) if one.pk == send_id), None) if edition is not None else None
    if edition is None or send is None:
        raise ReleaseError(f"send {send_id} is not held; newsdesk status says where it stands")
    send.edition = edition
    if not send.approval.stands:
        raise ReleaseError(f"edition {edition.pk} is not approved; approve it first")
    if send.alarms.filter(code=Alarm.Code.DATABASE_MOVED, cleared_at=None).exists():
        # As `resume` refuses it: reopening is no way around that.
        raise ReleaseError(
            f"the database was restored since send {send.pk} was scheduled: it may have gone out already. "
            "Cancel it, and schedule it again if it has not"
        )
    return send


def _follow_slot(send: Send, edition: Edition, now: datetime) -> datetime | None:
    """When the send is due now. One that was made for a slot goes with its edition where that was given another."""
    slot = Slot.objects.filter(send=send).first()
    if slot is None:
        return send.scheduled_at
    if edition.slot == slot.at:
        return None if slot.outcome else send.scheduled_at
    if edition.slot is None or edition.slot <= now or not _bind(send, edition):
        return None
    _reschedule(send, edition, edition.slot)
    return send.scheduled_at


def _bind(send: Send, edition: Edition) -> bool:
    """Make the send that of its edition's slot; the slot it had is skipped. False when another send has the slot."""
    assert edition.slot is not None
    slot, _ = Slot.objects.get_or_create(publication_id=edition.publication_id, at=edition.slot)
    slot = Slot.objects.select_for_update(no_key=True, of=("self",)).get(pk=slot.pk)
    if slot.send_id not in {None, send.pk}:
        return False
    before = Slot.objects.filter(send=send).exclude(pk=slot.pk)
    before.filter(outcome="").update(outcome=Slot.Outcome.SKIPPED, decided_at=Now())
    before.update(send=None)
    slot.edition, slot.send, slot.outcome, slot.decided_at = edition, send, Slot.Outcome.OPEN, None
    slot.save(update_fields=["edition", "send", "outcome", "decided_at"])
    return True


def _reschedule(send: Send, edition: Edition, slot: datetime) -> None:
    """For the slot: that moment or, of a local-time send, that time on each reader's clock."""
    send.scheduled_at = slot
    if send.local_at:
        local = on_their_clocks(edition)
        send.local_at = local.isoformat()
        send.scheduled_at = max(first_moment(edition, list(send.lists.all()), local), clock.now())


def _restore(send: Send, due: datetime, *, by: Any, who: str) -> None:
    earlier = send.actions.filter(what="held").order_by("-pk").values_list("why", flat=True).first() or ""
    send.held_at, send.scheduled_at = None, due
    if earlier.startswith(_WAS_PAUSED):
        send.pause_reason = earlier.removeprefix(_WAS_PAUSED)
    else:
        send.status, send.pause_reason = Send.Status.SCHEDULED, ""
    send.save(
        update_fields=[
            "approval",
            "sender_domain",
            "status",
            "held_at",
            "pause_reason",
            "scheduled_at",
            "local_at",
        ]
    )
    record_action(send.pk, "restored", why="The edition was approved again.", by=by, who=who)


def _go_on(send: Send) -> None:
    send.status, send.held_at, send.pause_reason = Send.Status.SCHEDULED, None, ""
    send.save(update_fields=["status", "held_at", "pause_reason", "scheduled_at", "local_at"])
    Alarm.objects.filter(send=send, code__in=[Alarm.Code.SEND_HELD, Alarm.Code.SLOT_MISSED], cleared_at=None).update(
        cleared_at=Now()
    )
