"""A publication that comes out every week, and editions for its slots."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import F
from django.utils import timezone

from composer.composition import compose
from composer.digest import parse
from composer.models import Edition, Publication
from composer.slots import WEEK, next_slot
from tasks.models import Alarm, Recurrence, Slot
from tests.factories import make_approval, make_edition, make_list, make_publication

DIGEST = b"""City Digest

Hello, this is what moved in the city this week.

1. The tram line to the harbour opens

The tram line to the harbour opens on Monday with six stops.

Trains run every ten minutes until midnight.

Wrapping Up

That was the week. Thank you for reading.
"""


def make_weekly(*, ahead: timedelta, **fields: Any) -> Publication:
    """With a slot so long ahead of now, to the minute; negative: so long ago, and again in a week."""
    slot = (timezone.now() + ahead).replace(second=0, microsecond=0)
    return make_publication(cadence_weekday=slot.weekday(), cadence_time=slot.time(), timezone="UTC", **fields)


def slot_of(publication: Publication, *, ahead: timedelta) -> datetime:
    """The slot that `make_weekly` made of this: the next one, or the last."""
    slot = next_slot(publication, timezone.now())
    assert slot is not None
    return slot if ahead > timedelta(0) else slot - WEEK


def make_approved(publication: Publication, slot: datetime) -> Edition:
    """An edition with a standing approval, made without the checks."""
    return make_approval(make_edition(publication, slot=slot)).edition


def make_draft(publication: Publication, slot: datetime | None) -> Edition:
    """One that passes the checks."""
    edition = compose(publication, digest=parse(DIGEST))
    edition.slot = slot
    edition.save_revision(clean=False)
    return edition


def recurring(publication: Publication, **fields: Any) -> Recurrence:
    """As if it had been so for a year, without what it does at once."""
    recurrence = Recurrence.objects.create(publication=publication, **fields)
    Recurrence.objects.update(created_at=F("created_at") - timedelta(days=365))
    recurrence.lists.set([make_list(publication)])
    recurrence.refresh_from_db()
    return recurrence


def outcome(edition: Edition, slot: Any = None) -> str:
    return Slot.objects.get(publication=edition.publication, at=slot or edition.slot).outcome


def codes() -> list[str]:
    """Open alarms, but for those that the lists here have no readers."""
    alarms = Alarm.objects.filter(cleared_at=None).exclude(code="few_readers")
    return list(alarms.order_by("pk").values_list("code", flat=True))
