"""Lets the open form copy a story the moment it is picked. Without the script, saving does the same."""

from typing import Any

from django import forms
from django.urls import reverse
from django.utils.functional import cached_property
from wagtail.admin.staticfiles import versioned_static
from wagtail.admin.telepath import register
from wagtail.blocks.struct_block import StructBlockAdapter

from composer.blocks import StoryBlock
from composer.story_copying import COPIED


class StoryBlockAdapter(StructBlockAdapter):
    js_constructor = "newsdesk.StoryBlock"

    def js_args(self, block: StoryBlock) -> list[Any]:
        name, children, meta = super().js_args(block)
        url = reverse("wagtailsnippets_composer_edition:story_state", args=[0])
        words = reverse("wagtailsnippets_composer_story:take_words", args=[0])
        return [name, children, {**meta, "copied": list(COPIED), "copyUrl": url, "wordsUrl": words}]

    @cached_property
    def media(self) -> forms.Media:
        own = versioned_static("web/desk/story_block.js")
        return forms.Media(js=[*super().media._js, own], css=super().media._css)  # noqa: SLF001 - as Wagtail's docs do


register(StoryBlockAdapter(), StoryBlock)
