"""The running order on the edition's page: its stories as one list, and what each weighs in the mail."""

from typing import Any

from django import forms
from django.utils.functional import cached_property
from wagtail.admin.panels import Panel
from wagtail.admin.staticfiles import versioned_static
from wagtail.admin.telepath import register
from wagtail.blocks.stream_block import StreamBlockAdapter

from composer.blocks import ContentBlock
from composer.checks.context import CheckContext
from composer.checks.size import CLIPPED_AT, sent_size, story_sizes
from composer.content import segments_used, visible
from composer.inspection import Inspection


class ContentBlockAdapter(StreamBlockAdapter):
    """Lets the running order's script move the blocks of the open form."""

    js_constructor = "newsdesk.ContentBlock"

    @cached_property
    def media(self) -> forms.Media:
        # What a dialog of several stories to choose needs; a chooser of one has it built in.
        ours = [versioned_static(name) for name in ("wagtailadmin/js/chooser-modal.js", "web/desk/running_order.js")]
        return forms.Media(js=[*super().media._js, *ours], css=super().media._css)  # noqa: SLF001 - as Wagtail's docs do


register(ContentBlockAdapter(), ContentBlock)


class RunningOrderPanel(Panel):
    """Filled by the script from the open form, so that it is in step with it; without the script it says nothing."""

    class BoundPanel(Panel.BoundPanel):
        template_name = "web/desk/running_order.html"


def sizes(inspection: Inspection) -> dict[str, Any]:
    """Bytes of the mail that holds every block and of its stories, as they were last rendered; empty without a rendering."""
    if inspection.content is None:
        return {}
    # As the reader gets it who is in every segment, since a section that opens nothing is shown to nobody.
    content = visible(inspection.content, segments_used(inspection.content))
    rendering = next((made for variant, made in inspection.variants if variant.content == content), None)
    if rendering is None:
        return {}
    context = CheckContext(content, rendering)
    return {"total": sent_size(context), "clippedAt": CLIPPED_AT, "stories": story_sizes(context)}
