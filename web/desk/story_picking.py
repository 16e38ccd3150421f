"""What a story block is filled with when an editor picks a story."""

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404
from wagtail.blocks import StructValue

from composer import story_copying
from composer.blocks import StoryBlock
from composer.models import Story


@permission_required("wagtailadmin.access_admin", raise_exception=True)
def story_state(_request: HttpRequest, pk: int) -> JsonResponse:
    """The state of the form's fields for a copy of this story, as Wagtail's own script reads it."""
    story = get_object_or_404(Story, pk=pk)
    block = StoryBlock()
    copied = story_copying.copy_of(story)
    value = StructValue(
        block, [(name, block.child_blocks[name].normalize(copied[name])) for name in story_copying.COPIED]
    )
    return JsonResponse({name: block.child_blocks[name].get_form_state(value[name]) for name in story_copying.COPIED})
