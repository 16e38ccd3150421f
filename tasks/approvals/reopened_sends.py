"""Sends whose edition was reopened: held until it is approved again, or until a person releases them.

Locks: the edition, then its sends by id, then slots. A held send is paused, and `resume` refuses it
(`tasks.approvals.releasing`).
"""

from datetime import datetime
from typing import Any

from django.db.models.functions import Now

from composer.approval import ApprovalRefusedError
from composer.models import Approval, Edition
from tasks.alarms.raising import clear_alarms, raise_alarm
from tasks.database import clock
from tasks.models import Alarm, Send, Slot
from tasks.sends import database_doubts
from tasks.sends.audit_trail import record_action
from tasks.sends.scheduling import sender_domain
from tasks.slots.slot_sends import give_slot_to_send, set_due_time

#: Before the reason of a pause that is older than the reopening; giving the send back leaves that pause alone.
WAS_PAUSED = "It was paused before: "


def hold_sends(edition: Edition, *, by: Any = None, who: str = "") -> list[Send]:
    """Hold every send of the edition that is not prepared yet; in the caller's transaction, the edition locked.

    Raises ApprovalRefusedError when one is under way: its bytes are those of the approval.
    """
    sends = list(
        Send.objects.select_for_update(of=("self",), no_key=True)
        .filter(edition=edition, approval__voided_at__isnull=True, status__in=Send.NOT_OVER)
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
        is_held = send.held_at is not None
        earlier = f"{WAS_PAUSED}{send.pause_reason}" if send.status == Send.Status.PAUSED and not is_held else ""
        send.status, send.held_at = Send.Status.PAUSED, send.held_at or Now()
        send.pause_reason = f"{name} reopened the edition: approve it again, and the send goes on."[:500]
        send.save(update_fields=["status", "held_at", "pause_reason"])
        if not is_held:
            record_action(send.pk, "held", why=earlier or send.pause_reason, by=by, who=who)
    return sends


def restore_sends(edition: Edition, approval: Approval, *, by: Any = None, who: str = "") -> None:
    """Give held sends the new approval, and those whose time is still ahead back to their schedule.

    The others stay held, and an alarm asks a person: now, or the next slot? So does one that may be out already, as a restored database
    cannot know: it can only be cancelled. In the transaction of the approval.
    """
    clear_alarms(Alarm.Code.SLOT_UNAPPROVED, edition=edition)
    if edition.slot is not None:
        Slot.objects.filter(publication=edition.publication_id, at=edition.slot).update(warned_at=None)
    now = clock.now()
    for send in lock_held_sends(edition):
        clear_alarms(Alarm.Code.SEND_HELD, send=send)
        send.approval, send.sender_domain = approval, sender_domain(approval)
        if database_doubts.may_be_out(send):
            send.pause_reason = database_doubts.MAY_BE_OUT
            send.save(update_fields=["approval", "sender_domain", "pause_reason"])
            raise_alarm(Alarm.Code.DATABASE_MOVED, database_doubts.MAY_BE_OUT, send_id=send.pk, mail=True)
            continue
        due = _new_due_time(send, edition, now)
        if due is None or due <= now:
            send.pause_reason = (
                "Its time passed while the edition was reopened: it can go out now, or with the next slot."
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


def held_sends(edition: Edition) -> list[Send]:
    """The edition's sends that wait for an approval or to be released."""
    return list(Send.objects.filter(edition=edition, status=Send.Status.PAUSED, held_at__isnull=False).order_by("pk"))


def lock_held_sends(edition: Edition) -> list[Send]:
    """The edition's held sends, their rows locked in the order of their ids; in a transaction, the edition locked."""
    sends = Send.objects.filter(
        edition=edition, status=Send.Status.PAUSED, held_at__isnull=False, prepared_at__isnull=True
    )
    return list(sends.select_for_update(of=("self",), no_key=True).order_by("pk"))


def _new_due_time(send: Send, edition: Edition, now: datetime) -> datetime | None:
    """When the send is due now; None when its slot is over. One that was made for a slot goes with its edition to another."""
    slot = Slot.objects.filter(send=send).first()
    if slot is None:
        return send.scheduled_at
    if edition.slot == slot.at:
        return None if slot.outcome else send.scheduled_at
    if edition.slot is None or edition.slot <= now or not give_slot_to_send(send, edition):
        return None
    set_due_time(send, edition, edition.slot)
    return send.scheduled_at


def _restore(send: Send, due: datetime, *, by: Any, who: str) -> None:
    earlier = send.actions.filter(what="held").order_by("-pk").values_list("why", flat=True).first() or ""
    send.held_at, send.scheduled_at = None, due
    if earlier.startswith(WAS_PAUSED):
        send.pause_reason = earlier.removeprefix(WAS_PAUSED)
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
