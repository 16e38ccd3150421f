"""What goes between stories and the blocks of an open edition: copies of stories, and a block's words back to its story."""

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_POST
from wagtail.blocks import StreamValue, StructValue

from composer import story_copying
from composer.blocks import ContentBlock, StoryBlock
from composer.models import Story
from composer.permissions import Right, may, within
from web.desk.visible import visible_story

#: So many stories are put into an edition at once.
MOST = 60


def story_state(request: HttpRequest, pk: int) -> JsonResponse:
    """The state of the form's fields for a copy of this story, as Wagtail's own script reads it. Raises Http404."""
    story = visible_story(request.user, pk)
    block = StoryBlock()
    copied = story_copying.copy_of(story)
    value = StructValue(
        block, [(name, block.child_blocks[name].normalize(copied[name])) for name in story_copying.COPIED]
    )
    return JsonResponse({name: block.child_blocks[name].get_form_state(value[name]) for name in story_copying.COPIED})


def as_blocks(request: HttpRequest) -> JsonResponse:
    """The stories of `?id=…&id=…` as new blocks for the open form, in this order; what the person may not see is left out."""
    asked = [int(pk) for pk in request.GET.getlist("id")[:MOST] if pk.isascii() and pk.isdecimal() and len(pk) < 19]
    seen = within(Story.objects.select_related("image"), request.user, Right.SEE).in_bulk(asked)
    stream = ContentBlock()
    value = StreamValue(stream, [])
    value.extend(("story", story_copying.copy_of(seen[pk])) for pk in dict.fromkeys(asked) if pk in seen)
    story_copying.prepare(value)
    return JsonResponse({"blocks": stream.get_form_state(value)})


@require_POST
def take_words(request: HttpRequest, pk: int) -> JsonResponse:
    """Write the words of a block of the posted form (its fields begin with `prefix`) to the story, as a revision.

    Raises Http404, PermissionDenied.
    """
    user: Any = request.user
    story = visible_story(user, pk)
    if not may(user, Right.WRITE, story.publication_id):
        raise PermissionDenied
    prefix = request.POST.get("prefix", "")
    if f"{prefix}-headline" not in request.POST:
        return JsonResponse({"error": "The block was not in the form: reload the page."}, status=400)
    value = StoryBlock().value_from_datadict(request.POST, request.FILES, prefix)
    try:
        story_copying.save_to(story, value, user)
    except ValidationError as error:
        return JsonResponse({"error": f"Not saved. {' '.join(error.messages)}"}, status=400)
    return JsonResponse({"saved": str(story)})
