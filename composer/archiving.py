"""Stories that nobody will run any more leave the inbox: nothing is deleted, and each can come back."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from wagtail.log_actions import log

from composer.models import Story


def archive(stories: Iterable[Story], by: Any) -> int:
    """Take the stories out of the inbox; how many were in it."""
    return _set(stories, by, archived=True)


def bring_back(stories: Iterable[Story], by: Any) -> int:
    """Put archived stories back into the inbox; how many were archived."""
    return _set(stories, by, archived=False)


@transaction.atomic
def _set(stories: Iterable[Story], by: Any, *, archived: bool) -> int:
    asked = Story.objects.filter(pk__in=[story.pk for story in stories], archived_at__isnull=archived)
    changed = list(asked.select_for_update(no_key=True).order_by("pk"))
    Story.objects.filter(pk__in=[story.pk for story in changed]).update(archived_at=Now() if archived else None)
    action = "newsdesk.archive" if archived else "newsdesk.bring_back"
    for story in changed:
        log(instance=story, action=action, user=by)
    return len(changed)
