"""Picking stories into an edition: what is chosen is copied, so that editing the story never changes the edition."""

import uuid
from typing import Any

from django.db import transaction
from django.utils.html import strip_tags
from wagtail.blocks import CharBlock, StreamValue, StructValue, TextBlock
from wagtail.rich_text import RichText

from composer.models.story import Story

#: Block field → what it takes from the story.
COPIED = {
    "headline": "headline",
    "lede": "lede",
    "body": "body",
    "image": "image",
    "alt": "alt",
    "source_name": "source_name",
    "source_url": "source_url",
    "language": "language",
}

#: What an empty field of a story is, where it is no empty text.
_EMPTY: dict[str, Any] = {"image": None}


def copy_of(story: Story) -> dict[str, Any]:
    """A story block's value, as it is when the story has just been picked."""
    return {"story": story, **{field: getattr(story, name) for field, name in COPIED.items()}}


def save_to(story: Story, value: Any, user: Any) -> None:
    """The way back: the story says what the block says, as a revision of the user's. Raises ValidationError."""
    for field, name in COPIED.items():
        written = value[field]
        setattr(story, name, written.source if isinstance(written, RichText) else written or _EMPTY.get(name, ""))
    story.full_clean()
    with transaction.atomic():
        story.save()
        story.save_revision(user=user, log_action=True, clean=False)


def prepare(stream: StreamValue) -> None:
    """Give every block a stable UUID, and every story that was picked but not yet copied its copy."""
    seen: set[str] = set()
    for child in stream:
        child.id = _stable_id(child.id, seen)
        seen.add(child.id)
        _complete(child.value)
        if child.block_type == "story":
            _copy_if_untouched(child.value)


def _stable_id(written: str | None, seen: set[str]) -> str:
    try:
        key = str(uuid.UUID(written or ""))
    except ValueError:
        key = ""
    return key if key and key not in seen else str(uuid.uuid4())


def _complete(value: StructValue) -> None:
    """Blocks made by a program may name only some of their fields, and Wagtail's empty text is None."""
    for name, block in value.block.child_blocks.items():
        if value.get(name) is None:
            is_text = isinstance(block, CharBlock | TextBlock)
            value[name] = block.get_default() or "" if is_text else block.get_default()


def _copy_if_untouched(value: StructValue) -> None:
    story = value.get("story")
    if story is None or any(_written(value.get(field)) for field in COPIED):
        return
    block = value.block
    for field, copied in copy_of(story).items():
        value[field] = block.child_blocks[field].normalize(copied)


def _written(value: Any) -> bool:
    """Whether a field holds anything; rich text that was only clicked into is an empty paragraph."""
    if isinstance(value, RichText):
        return bool(strip_tags(value.source).strip())
    return bool(value)
