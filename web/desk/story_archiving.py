"""Archiving at the desk: several stories from the list, or one from its menu; and back into the inbox."""

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from wagtail import hooks
from wagtail.admin.widgets.button import Button

from composer import archiving
from composer.models import Story
from composer.permissions import Right, may
from web.desk.story_bulk_actions import StoryBulkAction


@hooks.register("register_bulk_action")
class ArchiveStories(StoryBulkAction):
    display_name = "Archive"
    aria_label = "Archive the selected stories"
    action_type = "archive"
    action_priority = 30
    button = "Archive"

    @classmethod
    def execute_action(cls, objects: Sequence[Story], user: Any = None, **_: Any) -> tuple[int, int]:
        return archiving.archive(objects, user), 0

    def get_success_message(self, changed: int, _children: int) -> str:
        return f"{_stories(changed)} archived. The filter “Archived” shows them."


@hooks.register("register_bulk_action")
class BringBackStories(StoryBulkAction):
    display_name = "Back to the inbox"
    aria_label = "Bring the selected stories back to the inbox"
    action_type = "bring_back"
    action_priority = 40
    button = "Bring back"

    @classmethod
    def execute_action(cls, objects: Sequence[Story], user: Any = None, **_: Any) -> tuple[int, int]:
        return archiving.bring_back(objects, user), 0

    def get_success_message(self, changed: int, _children: int) -> str:
        return f"{_stories(changed)} brought back to the inbox."


def _stories(number: int) -> str:
    return f"{number} {'story' if number == 1 else 'stories'}"


@hooks.register("register_snippet_listing_buttons")
def archive_one(snippet: Any, user: Any, next_url: str | None = None) -> Iterator[Button]:
    """In the menu of each story of the list."""
    if not isinstance(snippet, Story) or not may(user, Right.WRITE, snippet.publication_id):
        return
    action, label = ("bring_back", "Back to the inbox") if snippet.archived_at else ("archive", "Archive")
    query = urlencode({"id": snippet.pk, "next": next_url or reverse("wagtailsnippets_composer_story:list")})
    url = f"{reverse('wagtail_bulk_action', args=['composer', 'story', action])}?{query}"
    yield Button(label, url=url, icon_name="download", priority=40)
