"""The draft of a publication's next slot, made when the slot has none."""

from datetime import datetime, timedelta

import structlog
from django.db.models import Exists, OuterRef

from composer import next_edition, slots
from composer.models import Approval, Edition, Publication
from tasks.models import Send, Slot

log = structlog.get_logger(__name__)

#: Slots that are over for longer are history.
REMEMBERED = timedelta(days=60)


def make_next_draft(publication: Publication, now: datetime) -> None:
    """See to it that the next slot has an edition. None is made while the draft of a past slot may still go out."""
    slot = slots.next_slot(publication, now)
    if slot is None or _is_past_draft_open(publication, now):
        return
    if not Edition.objects.filter(publication=publication, slot=slot).exists():
        draft = next_edition.draft_for_slot(publication, slot)
        if draft is not None:
            log.info("draft_made", publication=publication.slug, edition=draft.pk, slot=slot.isoformat())


def _is_past_draft_open(publication: Publication, now: datetime) -> bool:
    """Whether a draft's slot is over but not given up: it may still go out late, or move to the next slot itself."""
    decided = Slot.objects.filter(publication=publication, at=OuterRef("slot")).exclude(outcome="")
    approved = Approval.objects.filter(edition=OuterRef("pk"), voided_at__isnull=True)
    sent = Send.objects.filter(edition=OuterRef("pk"))
    drafts = Edition.objects.filter(~Exists(decided), ~Exists(approved), ~Exists(sent), publication=publication)
    return drafts.filter(slot__lte=now, slot__gt=now - REMEMBERED).exists()
