"""Editions as they are stored → editions as plain data. Also of what stands in an open form and is not saved yet."""

import uuid
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.utils.html import strip_tags
from django.utils.timezone import localdate
from wagtail.rich_text import expand_db_html

from composer import content, story_copying
from composer.images import Picture, preview
from composer.models import Edition, Publication, Story
from composer.sanitising import rich_text

#: Turns an image of the library into a file with an address, or None when there is nothing to show.
ImageSource = Callable[[Any], Picture | None]


def publication_content(publication: Publication, *, images: ImageSource = preview) -> content.PublicationContent:
    return content.PublicationContent(
        slug=publication.slug,
        title=publication.title,
        tagline=publication.tagline,
        language=publication.language,
        direction="rtl" if publication.direction == Publication.Direction.RTL else "ltr",
        from_name=publication.from_name,
        from_email=publication.from_email,
        reply_to=publication.reply_to,
        postal_address=publication.postal_address,
        website=publication.website,
        minimum_stories=publication.minimum_stories,
        brand=content.Brand(
            logo=_image(publication.logo, publication.title, images),
            accent=publication.accent,
            text_font=publication.text_font,
            heading_font=publication.heading_font,
            radius=publication.radius,
        ),
    )


def edition_content(edition: Edition, *, images: ImageSource = preview) -> content.EditionContent:
    """Everything the edition says, for the renderers and the checks.

    Raises TextTooLargeError for rich text beyond all bounds, and whatever `images` raises.
    """
    story_copying.prepare(edition.content)
    label, url = edition.call_to_action_label.strip(), edition.call_to_action_url.strip()
    return content.EditionContent(
        publication=publication_content(edition.publication, images=images),
        title=edition.title,
        subject=edition.subject.strip() or edition.title,
        number=edition.number,
        date=localdate(edition.slot, edition.publication.zone),
        preheader=edition.preheader,
        introduction_html=_html(edition.introduction),
        closing_heading=edition.closing_heading,
        closing_html=_html(edition.closing),
        call_to_action=content.CallToAction(label=label, url=url) if label or url else None,
        blocks=tuple(_BLOCKS[child.block_type](child.id, child.value, images) for child in edition.content),
        web_url=web_url(edition),
    )


def story_content(story: Story, *, images: ImageSource = preview) -> content.StoryBlock:
    """A story by itself, as it would be copied into an edition."""
    return content.StoryBlock(
        key=str(uuid.UUID(int=story.pk or 0)),
        headline=story.headline,
        lede=story.lede,
        body_html=_html(story.body),
        image=_image(story.image, story.alt, images),
        source_name=story.source_name,
        source_url=story.source_url,
        language=story.language,
    )


def web_url(edition: Edition) -> str:
    """Where the edition stands in the public archive; empty before it has a number."""
    return f"{settings.BASE_URL}/{edition.publication.slug}/{edition.number}/" if edition.number else ""


def _html(source: Any) -> str:
    """Rich text as the database holds it (a field's string or a block's RichText), fit for a mail."""
    html = rich_text(expand_db_html(getattr(source, "source", source) or ""))
    # An editor that was only clicked into leaves an empty paragraph.
    return html if strip_tags(html).strip() else ""


def _image(image: Any, alt: str, images: ImageSource) -> content.Image | None:
    picture = images(image) if image else None
    if picture is None:
        return None
    return content.Image(
        url=picture.url, alt=alt.strip(), width=picture.width, height=picture.height, weight=picture.weight
    )


def _story(key: str, value: Any, images: ImageSource) -> content.Block:
    return content.StoryBlock(
        key=key,
        audience=value["audience"].strip(),
        headline=value["headline"].strip(),
        lede=value["lede"].strip(),
        body_html=_html(value["body"]),
        image=_image(value["image"], value["alt"], images),
        source_name=value["source_name"].strip(),
        source_url=value["source_url"].strip(),
        language=value["language"].strip(),
        public=value["public"],
    )


def _section(key: str, value: Any, _images: ImageSource) -> content.Block:
    return content.SectionBlock(key=key, audience=value["audience"].strip(), heading=value["heading"].strip())


def _note(key: str, value: Any, _images: ImageSource) -> content.Block:
    return content.NoteBlock(key=key, audience=value["audience"].strip(), body_html=_html(value["body"]))


def _sponsor(key: str, value: Any, images: ImageSource) -> content.Block:
    return content.SponsorBlock(
        key=key,
        audience=value["audience"].strip(),
        name=value["name"].strip(),
        body_html=_html(value["body"]),
        url=value["url"].strip(),
        image=_image(value["image"], value["alt"], images),
    )


def _button(key: str, value: Any, _images: ImageSource) -> content.Block:
    return content.ButtonBlock(
        key=key, audience=value["audience"].strip(), label=value["label"].strip(), url=value["url"].strip()
    )


def _divider(key: str, value: Any, _images: ImageSource) -> content.Block:
    return content.DividerBlock(key=key, audience=value["audience"].strip())


def _correction(key: str, value: Any, _images: ImageSource) -> content.Block:
    return content.CorrectionBlock(key=key, audience=value["audience"].strip(), body_html=_html(value["body"]))


_BLOCKS: dict[str, Callable[[str, Any, ImageSource], content.Block]] = {
    "story": _story,
    "section": _section,
    "note": _note,
    "sponsor": _sponsor,
    "button": _button,
    "divider": _divider,
    "correction": _correction,
}
