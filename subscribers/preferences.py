"""What a reader chooses on the preferences page: which of the publication's lists they are on stay."""

from collections.abc import Collection
from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from subscribers import lifting, suppression
from subscribers.address_forms import hashed
from subscribers.models import Consent, Subscriber, Subscription, Suppression

Status = Subscription.Status


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One list the reader is or was on; lists they never joined may be nobody's business and are not offered."""

    list_id: int
    name: str
    #: They get it now, or will once they confirm.
    wanted: bool
    #: They have not confirmed yet.
    waiting: bool


def choices(subscriber_id: int, publication_id: int) -> list[Choice]:
    """The reader's lists of this publication, by name."""
    left = _left(subscriber_id, publication_id).exists()
    return [
        Choice(
            list_id=row.list_id,
            name=row.list.name,
            wanted=row.status != Status.UNSUBSCRIBED and not left,
            waiting=row.status == Status.PENDING and not left,
        )
        for row in _subscriptions(subscriber_id, publication_id).order_by("list__name", "list_id")
    ]


@transaction.atomic
def choose(subscriber_id: int, publication_id: int, wanted: Collection[int], *, source: str) -> None:
    """Keep or join these lists and leave the others; each change is kept as proof with its `source`.

    Choosing any lifts an unsubscribe from the publication and a sunset, never a bounce, a complaint or an erasure. Leaving the last list
    is an unsubscribe from the publication. Lists the reader was never on are passed over.
    """
    rows = list(_subscriptions(subscriber_id, publication_id).order_by("pk").select_for_update(of=("self",)))
    if not any(row.list_id in wanted for row in rows):
        suppression.unsubscribe(subscriber_id, publication_id, source)
        return
    _left(subscriber_id, publication_id).delete()
    lifting.lift_sunset(subscriber_id, publication_id, why=source)
    for row in rows:
        if row.list_id in wanted and row.status == Status.UNSUBSCRIBED:
            _change(row, Status.ACTIVE, Consent.Kind.GIVEN, source)
        elif row.list_id not in wanted and row.status != Status.UNSUBSCRIBED:
            _change(row, Status.UNSUBSCRIBED, Consent.Kind.WITHDRAWN, source)


@transaction.atomic
def leave_list(subscriber_id: int, list_id: int, *, source: str) -> bool:
    """Take the reader off this one list, with proof; False when they were not on it."""
    row = (
        Subscription.objects.select_for_update()
        .filter(subscriber_id=subscriber_id, list_id=list_id)
        .exclude(status=Status.UNSUBSCRIBED)
        .first()
    )
    if row is not None:
        _change(row, Status.UNSUBSCRIBED, Consent.Kind.WITHDRAWN, source)
    return row is not None


def _subscriptions(subscriber_id: int, publication_id: int) -> QuerySet[Subscription]:
    subscriptions = Subscription.objects.filter(subscriber_id=subscriber_id, list__publication_id=publication_id)
    return subscriptions.select_related("list")


def _left(subscriber_id: int, publication_id: int) -> QuerySet[Suppression]:
    """The reader's unsubscribe from the whole publication, if there is one."""
    email = Subscriber.objects.filter(pk=subscriber_id).values_list("email", flat=True).first() or ""
    return Suppression.objects.filter(
        address__in=[email.lower(), *hashed(email)],
        publication_id=publication_id,
        reason=Suppression.Reason.UNSUBSCRIBED,
    )


def _change(row: Subscription, status: Status, kind: Consent.Kind, source: str) -> None:
    Subscription.objects.filter(pk=row.pk).update(status=status, changed_at=Now())
    Consent.objects.create(subscriber_id=row.subscriber_id, list_id=row.list_id, kind=kind, source=source)
