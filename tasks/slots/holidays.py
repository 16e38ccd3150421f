"""The days on which a publication's weekly slot is left out."""

import datetime as dt

from django.db import transaction

from composer import next_edition, slots
from composer.models import Edition, Holiday, Publication
from newsdesk.core.errors import InputError
from tasks.database import clock
from tasks.models import Slot
from tasks.slots.upkeep import keep


class HolidayError(InputError):
    """The slot of the day cannot be left out; the message says what to do."""


def add_holiday(publication: Publication, day: dt.date, name: str = "") -> Holiday:
    """Leave out the slot on this day. A draft that has it moves to the next slot.

    Raises HolidayError while an approved edition has it: somebody has to decide what becomes of that one.
    """
    with transaction.atomic():
        # What was planned for the day, by the publication's clock.
        begins = dt.datetime.combine(day, dt.time(), tzinfo=publication.zone)
        ends = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), tzinfo=publication.zone)
        now = clock.now()
        planned = Edition.objects.filter(publication=publication, slot__gte=max(begins, now), slot__lt=ends)
        editions = list(planned.select_for_update(no_key=True, of=("self",)).order_by("pk"))
        approved = [edition for edition in editions if edition.approval is not None]
        if approved:
            raise HolidayError(f"{approved[0]} is approved for that day: reopen it first, or let it go out")
        holiday, _ = Holiday.objects.update_or_create(publication=publication, day=day, defaults={"name": name})
        for edition in editions:
            _move_on(edition, now)
    keep(publication)
    return holiday


def remove_holiday(publication: Publication, day: dt.date) -> bool:
    """Come out on this day after all; False when it was no holiday."""
    removed, _ = Holiday.objects.filter(publication=publication, day=day).delete()
    if removed:
        keep(publication)
    return bool(removed)


def _move_on(edition: Edition, now: dt.datetime) -> None:
    """Move the draft to the next free slot, if there is one and it was never sent."""
    skipped = edition.slot
    assert skipped is not None
    next_free = slots.next_free_slot(edition.publication, now)
    if next_free is not None and not edition.sends.exists() and next_edition.move_to_slot(edition, next_free):
        # The row is about an edition that no longer has the slot.
        Slot.objects.filter(publication=edition.publication_id, at=skipped, send=None).delete()
