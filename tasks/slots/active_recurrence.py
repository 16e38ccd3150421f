"""What a publication's recurrence says about a slot: who gets it, and how late it may go out."""

from datetime import timedelta

from composer.models import Edition
from tasks.models import Batch, Recurrence, Send

#: How late a slot may go out where no recurrence says.
DEFAULT_LATE_LIMIT = timedelta(minutes=720)


def active_recurrence(publication_id: int) -> Recurrence | None:
    """The publication's recurrence with its segment; None when it has none or it was stopped."""
    return Recurrence.objects.filter(publication=publication_id, active=True).select_related("segment").first()


def late_limit(recurrence: Recurrence | None) -> timedelta:
    """How long after its slot an edition may still go out; later than that, the slot is missed."""
    return timedelta(minutes=recurrence.late_minutes) if recurrence else DEFAULT_LATE_LIMIT


def is_sent_by_hand(edition: Edition, recurrence: Recurrence) -> bool:
    """Whether a person has given the edition to all of the recurrence's readers already."""
    list_ids = set(recurrence.lists.values_list("pk", flat=True))
    for send in Send.objects.filter(edition=edition).exclude(status=Send.Status.CANCELLED):
        everybody = send.segment_rule is None or send.segment_id == recurrence.segment_id
        if everybody and list_ids <= set(send.lists.values_list("pk", flat=True)):
            return True
    return False


def is_taken_back(edition: Edition) -> bool:
    """Whether the edition had sends, all of them were cancelled, and nothing of any had been posted."""
    sends = Send.objects.filter(edition=edition)
    if not sends.exists() or sends.exclude(status=Send.Status.CANCELLED).exists():
        return False
    return not Batch.objects.filter(send__in=sends).exclude(status=Batch.Status.CANCELLED).exists()
