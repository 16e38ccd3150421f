"""Where an edition stands, in one word for lists and panels."""

from typing import Any

from django.db.models import Exists, OuterRef, QuerySet, Subquery
from wagtail.admin.ui.tables import Column

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


class StateColumn(Column):
    """An edition's state in a list, by word and shape."""

    cell_template_name = "web/desk/state_cell.html"

    def __init__(self) -> None:
        super().__init__("status", label="Status", accessor=status_of)

    def get_cell_context_data(self, instance: Any, parent_context: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_cell_context_data(instance, parent_context)
        return {**context, "column": self}
