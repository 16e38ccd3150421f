"""How sender, subject and preheader will look in an inbox, and subjects that the headlines suggest."""

from typing import Any

from wagtail.admin.panels import Panel

from composer.models import Edition
from composer.subject_suggestions import suggestions


class InboxLinePanel(Panel):
    """Kept in step with the fields by its script."""

    class BoundPanel(Panel.BoundPanel):
        template_name = "web/desk/inbox_line.html"

        def get_context_data(self, parent_context: dict[str, Any] | None = None) -> dict[str, Any]:
            context: dict[str, Any] = super().get_context_data(parent_context)
            edition: Edition = self.instance
            sender = edition.publication.from_name if edition.publication_id else ""
            return {**context, "sender": sender, "suggestions": suggested(edition)}


def suggested(edition: Edition) -> tuple[str, ...]:
    """Subjects made of the first headlines, as they were last saved."""
    if not edition.publication_id:
        return ()
    headlines = [child.value["headline"] or "" for child in edition.content if child.block_type == "story"]
    return suggestions(headlines, edition.publication.language)
