"""What beat does once a minute for every publication with a weekly slot."""

from datetime import datetime, timedelta

import structlog
from django.db import InterfaceError, OperationalError
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now

from composer import slots, succession
from composer.models import Approval, Edition, Publication
from tasks.database import clock
from tasks.models import Alarm, Send, Slot
from tasks.slots.deciding import decide

log = structlog.get_logger(__name__)

#: Slots that are over for longer are history.
REMEMBERED = timedelta(days=60)


def keep_slots(*, now: datetime | None = None) -> None:
    """Keep the slots of every publication. What fails for one is logged and keeps nobody else waiting."""
    weekly = Q(cadence_weekday__isnull=False) | Q(recurrence__active=True)
    for publication in Publication.objects.filter(weekly):
        try:
            keep(publication, now=now)
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            log.exception("slots_not_kept", publication=publication.slug)


def keep(publication: Publication, *, now: datetime | None = None) -> None:
    """Decide about each of its editions' slots, and see to it that the next one has a draft. May be repeated freely."""
    now = now or clock.now()
    for edition_id in _undecided(publication, now):
        decide(edition_id, now=now)
    # Somebody sent it after all.
    Alarm.objects.filter(
        code=Alarm.Code.SLOT_MISSED,
        publication=publication,
        cleared_at=None,
        edition__sends__created_at__gt=F("raised_at"),
    ).update(cleared_at=Now())
    slot = slots.next_slot(publication, now)
    if slot is None or _waits_for_approval(publication, now):
        return
    if not Edition.objects.filter(publication=publication, slot=slot).exists():
        made = succession.draft_for_slot(publication, slot)
        if made is not None:
            log.info("draft_made", publication=publication.slug, edition=made.pk, slot=slot.isoformat())


def _undecided(publication: Publication, now: datetime) -> list[int]:
    """Editions whose slot is ahead, or over and without an outcome; the oldest first."""
    # What was said of an edition that has left a slot does not decide about the one that has it now.
    holds = Q(at__lte=now) | Q(edition=OuterRef("pk"))
    decided = Slot.objects.filter(holds, publication=publication, at=OuterRef("slot")).exclude(outcome="")
    editions = Edition.objects.filter(~Exists(decided), publication=publication, slot__gt=now - REMEMBERED)
    return list(editions.order_by("slot").values_list("pk", flat=True))


def _waits_for_approval(publication: Publication, now: datetime) -> bool:
    """Whether a draft's slot is over but not given up: it may still go out late, or move to the next slot itself."""
    decided = Slot.objects.filter(publication=publication, at=OuterRef("slot")).exclude(outcome="")
    approved = Approval.objects.filter(edition=OuterRef("pk"), voided_at__isnull=True)
    sent = Send.objects.filter(edition=OuterRef("pk"))
    drafts = Edition.objects.filter(~Exists(decided), ~Exists(approved), ~Exists(sent), publication=publication)
    return drafts.filter(slot__lte=now, slot__gt=now - REMEMBERED).exists()
