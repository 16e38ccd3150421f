"""Giving an edition another slot."""

from datetime import datetime

from composer import next_edition, slots
from composer.models import Edition


def move_to_next_slot(edition: Edition, now: datetime) -> datetime | None:
    """Move a draft, its row locked, to the publication's next slot; None when there is none or it is taken."""
    slot = slots.next_slot(edition.publication, now)
    if slot is None or not next_edition.move_to_slot(edition, slot):
        return None
    return slot


def take_next_slot(edition: Edition, now: datetime) -> datetime | None:
    """Give an approved edition, its row locked, the next slot that no other approved or sent edition has; None without one.

    A draft that has the slot moves on to the next free one. The approval stays: it says what goes out, not when.
    """
    cadence = slots.cadence_of(edition.publication)
    if cadence is None:
        return None
    for slot in slots.upcoming(cadence, now):
        if not _make_way(edition, slot):
            continue
        Edition.objects.filter(pk=edition.pk).update(slot=slot)
        edition.slot = slot
        return slot
    return None


def _make_way(edition: Edition, slot: datetime) -> bool:
    """Whether the slot is free, or was made so."""
    others = Edition.objects.filter(publication=edition.publication_id, slot=slot).exclude(pk=edition.pk)
    other = others.select_for_update(no_key=True, of=("self",)).first()
    if other is None:
        return True
    if other.approval is not None or other.sends.exists():
        return False
    next_free = slots.next_free_slot(edition.publication, slot)
    return next_free is not None and next_edition.move_to_slot(other, next_free)
