"""One edition or story for a view of our own, if the person may see it."""

from typing import Any

from django.shortcuts import get_object_or_404

from composer.models import Edition, Story
from composer.permissions import Right, within


def visible_edition(user: Any, pk: int) -> Edition:
    """With its publication. Raises Http404, as if it were not there."""
    return get_object_or_404(within(Edition.objects.select_related("publication"), user, Right.SEE), pk=pk)


def visible_story(user: Any, pk: int) -> Story:
    """Raises Http404, as if it were not there."""
    return get_object_or_404(within(Story.objects.all(), user, Right.SEE), pk=pk)
