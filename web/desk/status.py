"""Where an edition stands, in one word for lists and panels."""

from django.db.models import Exists, OuterRef, QuerySet, Subquery

from composer.models import Approval, Edition
from tasks.models import Send


def with_status(editions: "QuerySet[Edition]") -> "QuerySet[Edition]":
    """Annotate what `status_of` needs, so that a list costs one query."""
    standing = Approval.objects.filter(edition=OuterRef("pk"), voided_at__isnull=True)
    sends = Send.objects.filter(edition=OuterRef("pk")).exclude(status=Send.Status.CANCELLED).order_by("-pk")
    return editions.annotate(is_approved=Exists(standing), last_send=Subquery(sends.values("status")[:1]))


def status_of(edition: Edition) -> str:
    """draft, approved, or the state of its last send; an edition reopened after a send is a draft again."""
    if not hasattr(edition, "is_approved"):
        return status_of(with_status(Edition.objects.filter(pk=edition.pk)).get()) if edition.pk else "draft"
    if not edition.is_approved:
        return "draft"
    return edition.last_send or "approved"
