"""What a story block is filled with when an editor picks a story."""

from django.http import HttpRequest, JsonResponse
from wagtail.blocks import StructValue

from composer import story_copying
from composer.blocks import StoryBlock
from web.desk.visible import visible_story


def story_state(request: HttpRequest, pk: int) -> JsonResponse:
    """The state of the form's fields for a copy of this story, as Wagtail's own script reads it. Raises Http404."""
    story = visible_story(request.user, pk)
    block = StoryBlock()
    copied = story_copying.copy_of(story)
    value = StructValue(
        block, [(name, block.child_blocks[name].normalize(copied[name])) for name in story_copying.COPIED]
    )
    return JsonResponse({name: block.child_blocks[name].get_form_state(value[name]) for name in story_copying.COPIED})
