"""For a list of stories: what else tells the same news, quickly, from what is at hand."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from django.core.cache import cache

from composer.models import Story
from composer.same_story.suggesting import Suggestion, suggestions

#: The newest stories of a publication that a list is compared with: some weeks.
COMPARED = 300
#: Seconds; a suggestion may be a minute behind, never the list's time.
_REMEMBERED = 600


def same_news(stories: Sequence[Story]) -> dict[int, Suggestion]:
    """The surest suggestion for each saved story that has one, by its id. Makes no vectors; what was found is remembered."""
    keys = {story.pk: f"same-news:{story.pk}:{story.updated_at.timestamp()}" for story in stories}
    remembered = cache.get_many(keys.values())
    found = {pk: remembered[key] for pk, key in keys.items() if key in remembered}
    fresh = dict(_looked_up(story for story in stories if story.pk not in found))
    cache.set_many({keys[pk]: best for pk, best in fresh.items()}, _REMEMBERED)
    return {pk: best for pk, best in (found | fresh).items() if best}


def _looked_up(stories: Iterable[Story]) -> Iterable[tuple[int, Suggestion | None]]:
    by_publication: dict[int, list[Story]] = defaultdict(list)
    for story in stories:
        by_publication[story.publication_id].append(story)
    for of_one in by_publication.values():
        asked = suggestions(of_one[0].publication, of_one, most=COMPARED, make_vectors=False)
        for story, found in zip(of_one, asked, strict=True):
            yield story.pk, found[0] if found else None
