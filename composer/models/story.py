"""A story as it came in, before any edition uses it."""

import hashlib
import re
import unicodedata
from typing import Any

from django.contrib.contenttypes.fields import GenericRelation
from django.db import models
from django.http import HttpRequest, HttpResponse
from wagtail.fields import RichTextField
from wagtail.models import PreviewableMixin, RevisionMixin
from wagtail.search import index

from composer.models.preview_sizes import PREVIEW_SIZES

#: What an editor may do inside a story; the sanitiser keeps the same set.
STORY_FEATURES = ["h3", "h4", "bold", "italic", "link", "ul", "ol", "blockquote", "superscript", "subscript"]


def fingerprint(headline: str) -> str:
    """What makes two headlines the same story: letters and digits, without case, accents or spacing. 32 hex digits."""
    bare = unicodedata.normalize("NFKD", headline).casefold()
    letters = re.sub(r"[\W_]+", "", "".join(char for char in bare if not unicodedata.combining(char)))
    return hashlib.blake2b((letters or headline.strip()).encode(), digest_size=16).hexdigest()


class Story(PreviewableMixin, RevisionMixin, index.Indexed, models.Model):
    class Origin(models.TextChoices):
        DIGEST = "digest", "a digest"
        FEED = "feed", "a feed"
        URL = "url", "a web page"
        FILE = "file", "a table"
        TYPED = "typed", "typed at the desk"

    publication = models.ForeignKey("composer.Publication", on_delete=models.CASCADE, related_name="stories")
    headline = models.CharField(max_length=300)
    lede = models.TextField(blank=True)
    body = RichTextField(blank=True, features=STORY_FEATURES)
    image = models.ForeignKey("wagtailimages.Image", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    alt = models.CharField("text for the image", max_length=300, blank=True)
    source_name = models.CharField(max_length=120, blank=True)
    source_url = models.CharField("canonical URL", max_length=2000, blank=True)
    #: The source's own words: the checks look up in it what the story says. No mail shows it.
    source_text = models.TextField(blank=True, help_text="The source's text, for the checks: no reader sees it.")
    author = models.CharField(max_length=120, blank=True)
    topics = models.CharField(max_length=300, blank=True, help_text="Separated by commas.")
    language = models.CharField(
        max_length=20, blank=True, help_text="Where it is not the publication's: a tag such as ar or zh-Hans."
    )
    published_on = models.DateField(null=True, blank=True)
    origin = models.CharField(max_length=10, choices=Origin, default=Origin.TYPED, editable=False)
    fingerprint = models.CharField(max_length=32, editable=False)
    #: As `Edition.form_token`.
    form_token = models.UUIDField(null=True, unique=True, editable=False)
    #: When it left the inbox; None: it is there.
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    _revisions = GenericRelation("wagtailcore.Revision", related_query_name="story")

    search_fields = [
        index.SearchField("headline"),
        index.AutocompleteField("headline"),
        index.SearchField("lede"),
        index.AutocompleteField("lede"),
        index.SearchField("body"),
        index.AutocompleteField("body"),
        index.SearchField("source_name"),
        index.AutocompleteField("source_name"),
        index.FilterField("publication"),
        index.FilterField("origin"),
        index.FilterField("archived_at"),
        index.FilterField("created_at"),
    ]

    class Meta:
        verbose_name_plural = "stories"
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["publication", "fingerprint"])]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(headline__regex=r"\S"),
                name="composer_story_headline",
                violation_error_message="Write a headline.",
            ),
        ]

    def __str__(self) -> str:
        return self.headline

    def save(self, *args: object, **kwargs: object) -> None:
        self.fingerprint = fingerprint(self.headline)
        super().save(*args, **kwargs)  # type: ignore[arg-type]

    def with_content_json(self, content: dict[str, Any]) -> "Story":
        story: Story = super().with_content_json(content)
        story.publication_id, story.origin, story.created_at = self.publication_id, self.origin, self.created_at
        story.archived_at = self.archived_at
        return story

    @property
    def preview_modes(self) -> list[tuple[str, str]]:
        from composer.previewing import STORY_MODES  # noqa: PLC0415 - Wagtail's knot: the preview knows the model

        return list(STORY_MODES)

    @property
    def default_preview_mode(self) -> str:
        return "html"

    @property
    def preview_sizes(self) -> list[dict[str, Any]]:
        return PREVIEW_SIZES

    def serve_preview(self, _request: HttpRequest, mode_name: str) -> HttpResponse:
        from composer.previewing import confined, story_page  # noqa: PLC0415 - Wagtail's knot: the preview knows the model

        return confined(story_page(self, mode_name))
