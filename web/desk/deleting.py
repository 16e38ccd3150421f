"""What an edition uses is not deleted, whether one story or many are asked for; the refusal names them."""

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html, format_html_join
from wagtail import hooks
from wagtail.admin import messages

from composer.models import Approval, Edition, Placement, Story

_NAMED = 10


@hooks.register("before_delete_snippet")
def refuse_what_is_used(request: HttpRequest, instances: Iterable[Any]) -> HttpResponse | None:
    """Stay on the list with the names of what is used; None where all may go."""
    asked = list(instances)
    used = _used_stories(asked) or _approved_editions(asked)
    if not used:
        return None
    shown = format_html_join("", "<li>{}</li>", ((line,) for line in used[:_NAMED]))
    more = f"and {len(used) - _NAMED} more" if len(used) > _NAMED else ""
    messages.error(request, format_html("Nothing was deleted: editions need these.<ul>{}</ul>{}", shown, more))
    return redirect(asked[0].snippet_viewset.get_url_name("list"))


def _used_stories(asked: list[Any]) -> list[str]:
    stories = [story.pk for story in asked if isinstance(story, Story)]
    placed = (
        Placement.objects.filter(story__in=stories).select_related("story", "edition").order_by("story", "-edition")
    )
    return [f"“{placement.story}” ran in No. {placement.edition.number} as #{placement.number}" for placement in placed]


def _approved_editions(asked: list[Any]) -> list[str]:
    editions = [edition.pk for edition in asked if isinstance(edition, Edition)]
    approved = Approval.objects.filter(edition__in=editions).values("edition")
    return [
        f"{edition} was approved: it is the record of what was sent"
        for edition in Edition.objects.filter(pk__in=approved)
    ]
