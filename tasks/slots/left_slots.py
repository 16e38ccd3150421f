"""A send that is held while its edition has left the slot it was made for: it follows the edition, and the slot is free.

Else the edition that takes the slot would wait for somebody to approve the other one.
"""

from datetime import datetime

import structlog
from django.db import transaction
from django.db.models import F

from composer.models import Edition
from tasks.alarms.raising import raise_alarm
from tasks.models import Alarm, Send, Slot
from tasks.slots.slot_rows import state_outcome
from tasks.slots.slot_sends import give_slot_to_send, set_due_time
from tasks.slots.strings import slot_time

log = structlog.get_logger(__name__)


def follow_editions(publication_id: int, now: datetime) -> None:
    """Let the held sends of slots to come follow their editions. May be repeated freely. Raises the database's errors."""
    left = Slot.objects.filter(publication=publication_id, at__gt=now, outcome="", send__held_at__isnull=False).exclude(
        at=F("send__edition__slot"), send__edition__slot__isnull=False
    )
    for edition_id, send_id in left.order_by("send__edition", "send").values_list("send__edition", "send"):
        _follow(edition_id, send_id, now)


@transaction.atomic
def _follow(edition_id: int, send_id: int, now: datetime) -> None:
    edition = Edition.objects.select_for_update(no_key=True, of=("self",)).get(pk=edition_id)
    held = Send.objects.filter(pk=send_id, held_at__isnull=False, prepared_at__isnull=True)
    send = held.select_for_update(of=("self",), no_key=True).first()
    slot = Slot.objects.filter(send=send_id).first()
    if send is None or slot is None or slot.at == edition.slot:
        return
    if edition.slot is not None and edition.slot > now and give_slot_to_send(send, edition):
        set_due_time(send, edition, edition.slot)
    else:
        # Its edition has no slot to come, or one that another held send has yet: a person says when it goes out.
        state_outcome(slot, Slot.Outcome.SKIPPED)
        Slot.objects.filter(pk=slot.pk).update(send=None)
        send.scheduled_at = now
        raise_alarm(
            Alarm.Code.SEND_HELD,
            f"{edition} has left its slot {slot_time(edition, slot.at)}, and its send {send_id} is held: approve the edition again, then say "
            "whether it goes out now or with the next slot.",
            send_id=send_id,
            publication_id=edition.publication_id,
            edition_id=edition_id,
            mail=True,
        )
    send.save(update_fields=["scheduled_at", "local_at"])
    log.info("held_send_left_slot", publication=edition.publication_id, edition=edition_id, send=send_id)
