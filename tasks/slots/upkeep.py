"""What beat does once a minute for every publication with a weekly slot."""

from datetime import datetime

import structlog
from django.db import InterfaceError, OperationalError
from django.db.models import Exists, F, OuterRef, Q

from composer.models import Edition, Publication
from tasks.alarms import timezones
from tasks.alarms.raising import clear_alarms
from tasks.database import clock
from tasks.models import Alarm, Slot
from tasks.slots import approval_warnings, left_slots
from tasks.slots.active_recurrence import active_recurrence
from tasks.slots.next_draft import REMEMBERED, make_next_draft
from tasks.slots.slot_outcomes import decide

log = structlog.get_logger(__name__)


def keep_slots(*, now: datetime | None = None) -> None:
    """Do the upkeep of every publication. What fails for one is logged and keeps nobody else waiting."""
    timezones.look()
    weekly = Q(cadence_weekday__isnull=False) | Q(recurrence__active=True)
    for publication in Publication.objects.filter(weekly):
        try:
            keep(publication, now=now)
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            log.exception("slots_not_kept", publication=publication.slug)


def keep(publication: Publication, *, now: datetime | None = None) -> None:
    """Decide about each of its editions' slots, and see to it that the next one has a draft. May be repeated freely.

    Where its timezone is unknown, all of it waits.
    """
    if not publication.has_known_zone:
        return
    now = now or clock.now()
    left_slots.follow_editions(publication.pk, now)
    for edition_id in _undecided(publication, now):
        decide(edition_id, now=now)
    approval_warnings.warn_unscheduled(publication, active_recurrence(publication.pk), now)
    _clear_alarms(publication)
    make_next_draft(publication, now)


def _clear_alarms(publication: Publication) -> None:
    """Clear the alarm about a slot that was missed, or that nothing was scheduled for, once somebody has sent its edition after all."""
    clear_alarms(
        Alarm.Code.SLOT_MISSED,
        Alarm.Code.SLOT_UNAPPROVED,
        publication=publication,
        edition__sends__created_at__gt=F("raised_at"),
    )


def _undecided(publication: Publication, now: datetime) -> list[int]:
    """Editions whose slot is ahead, or over and without an outcome; the oldest first."""
    # What a row says of an edition that has left the slot does not decide about the one that has it now.
    applies = Q(at__lte=now) | Q(edition=OuterRef("pk"))
    decided = Slot.objects.filter(applies, publication=publication, at=OuterRef("slot")).exclude(outcome="")
    editions = Edition.objects.filter(~Exists(decided), publication=publication, slot__gt=now - REMEMBERED)
    return list(editions.order_by("slot").values_list("pk", flat=True))
