"""The blocks an edition is made of. Fields are lenient: completeness is a check, never a reason to lose a draft."""

from typing import Any

from django.core.exceptions import BadRequest
from wagtail import blocks
from wagtail.blocks.struct_block import BlockGroup
from wagtail.images.blocks import ImageChooserBlock
from wagtail.snippets.blocks import SnippetChooserBlock

from composer.models.story import STORY_FEATURES


class AudienceBlock(blocks.CharBlock):
    """A segment's slug; empty = everybody."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            **{"required": False, "max_length": 60, "help_text": "A segment's slug; empty = everybody.", **kwargs}
        )


def rich_text() -> blocks.RichTextBlock:
    return blocks.RichTextBlock(required=False, features=STORY_FEATURES)


def line(**kwargs: Any) -> blocks.CharBlock:
    return blocks.CharBlock(**{"required": False, "max_length": 300, **kwargs})


def url() -> blocks.CharBlock:
    # Not URLBlock: one malformed URL would stop autosave and preview. A check names it instead.
    return blocks.CharBlock(required=False, max_length=2000, label="URL")


class StoryBlock(blocks.StructBlock):
    """A copy of a story, made when it was picked: editing the story later never changes the edition."""

    story = SnippetChooserBlock("composer.Story", required=False, label="Copied from")
    headline = line()
    lede = blocks.TextBlock(required=False, rows=2)
    body = rich_text()
    image = ImageChooserBlock(required=False)
    alt = line(label="Text for the image")
    source_name = line()
    source_url = url()
    language = line(
        max_length=20, help_text="Of a story in another language than the publication's, such as ar or zh-Hans."
    )
    audience = AudienceBlock()
    public = blocks.BooleanBlock(
        required=False, default=True, help_text="Show it in the public archive even when only a segment is mailed."
    )

    class Meta:
        icon = "doc-full"
        label_format = "{headline}"
        form_layout = BlockGroup(
            children=["story", "headline", "lede", "body", "image", "alt"],
            settings=["source_name", "source_url", "language", "audience", "public"],
        )


class SectionBlock(blocks.StructBlock):
    heading = line()
    audience = AudienceBlock()

    class Meta:
        icon = "title"
        label_format = "{heading}"


class NoteBlock(blocks.StructBlock):
    body = rich_text()
    audience = AudienceBlock()

    class Meta:
        icon = "info-circle"


class SponsorBlock(blocks.StructBlock):
    name = line()
    body = rich_text()
    image = ImageChooserBlock(required=False)
    alt = line(label="Text for the image")
    url = url()
    audience = AudienceBlock()

    class Meta:
        icon = "tag"
        label_format = "{name}"


class ButtonBlock(blocks.StructBlock):
    label = line()
    url = url()
    audience = AudienceBlock()

    class Meta:
        icon = "link"
        label_format = "{label}"


class DividerBlock(blocks.StructBlock):
    audience = AudienceBlock()

    class Meta:
        icon = "minus"


class CorrectionBlock(blocks.StructBlock):
    body = rich_text()
    audience = AudienceBlock()

    class Meta:
        icon = "warning"


class ContentBlock(blocks.StreamBlock):
    """One flat stream, so that every block can be dragged anywhere."""

    story = StoryBlock()
    section = SectionBlock()
    note = NoteBlock()
    sponsor = SponsorBlock()
    button = ButtonBlock()
    divider = DividerBlock()
    correction = CorrectionBlock()

    def value_from_datadict(self, data: Any, files: Any, prefix: str) -> Any:
        """Raises BadRequest where the number of blocks, or what one of them is, is missing or nonsense: no form sends that."""
        try:
            return super().value_from_datadict(data, files, prefix)
        except (KeyError, ValueError, OverflowError) as error:
            raise BadRequest(f"The form came without its whole content: {type(error).__name__}.") from error

    class Meta:
        required = False
        max_num = 60
        collapsed = True
