"""Rich text at the desk: links in mail lead out, and what no editor of ours sends is refused with a word.

The link dialog begins with a web address, not with a website's pages.
"""

from typing import Any

from django.core.exceptions import ValidationError
from django.urls import reverse_lazy
from wagtail import hooks
from wagtail.admin.rich_text import DraftailRichTextArea
from wagtail.admin.rich_text.editors.draftail import features as draftail


class RichTextArea(DraftailRichTextArea):
    """Wagtail's (WAGTAILADMIN_RICH_TEXT_EDITORS), which takes a form's text for the JSON of its script without looking."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        """Raises ValidationError."""
        try:
            return super().value_from_datadict(data, files, name)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise ValidationError("This text cannot be read: load the page anew, and write it again.") from error


@hooks.register("register_rich_text_features", order=10)
def web_addresses_first(features: Any) -> None:
    link = features.plugins_by_editor["draftail"]["link"]
    addresses = {**link.data["chooserUrls"], "pageChooser": reverse_lazy("wagtailadmin_choose_page_external_link")}
    own = draftail.EntityFeature({**link.data, "chooserUrls": addresses}, js=link.js, css=link.css)
    features.register_editor_plugin("draftail", "link", own)
