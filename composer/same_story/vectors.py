"""The vectors of stories in the database: looked up, and made where they are missing."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from composer.models import Story
from composer.models.story_vector import StoryVector
from composer.same_story import embedding
from composer.same_story.features import Words, words


def words_of(story: Story) -> Words:
    return words(story.headline, story.lede, story.body)


def text_hash(words: Words) -> str:
    return hashlib.blake2b(words.text.encode("utf-8", "replace"), digest_size=16).hexdigest()


def stored(texts: Mapping[int, Words]) -> dict[int, bytes]:
    """The vectors that are there, by story; `texts` holds the stories' texts as they are now. Nothing without the extra."""
    if not texts or not embedding.is_available():
        return {}
    rows = StoryVector.objects.filter(story__in=texts, model=embedding.MODEL).values_list(
        "story", "text_hash", "vector"
    )
    return {story: bytes(vector) for story, made_of, vector in rows if made_of == text_hash(texts[story])}


def made(stories: Sequence[Story]) -> dict[int, bytes]:
    """The stories' vectors by their position; those of saved stories are looked up first, and kept. Empty without the extra."""
    if not stories or not embedding.is_available():
        return {}
    texts = [words_of(story) for story in stories]
    known = stored({story.pk: one for story, one in zip(stories, texts, strict=True) if story.pk})
    found = {at: known[story.pk] for at, story in enumerate(stories) if story.pk in known}
    lacking = [at for at in range(len(stories)) if at not in found]
    fresh = dict(zip(lacking, embedding.embed([texts[at].text for at in lacking]), strict=True))
    _keep((stories[at], texts[at], vector) for at, vector in fresh.items() if stories[at].pk)
    return found | fresh


def fill(*, most: int) -> int:
    """Make the vectors of the newest stories that have none. How many were made: at most `most`."""
    if not embedding.is_available():
        return 0
    stories = Story.objects.only("pk", "headline", "lede", "body")
    lacking: list[Story] = list(stories.exclude(vectors__model=embedding.MODEL)[:most])
    return len(made(lacking))


def _keep(rows: Iterable[tuple[Story, Words, bytes]]) -> None:
    StoryVector.objects.bulk_create(
        (
            StoryVector(story=story, model=embedding.MODEL, text_hash=text_hash(words), vector=vector)
            for story, words, vector in rows
        ),
        update_conflicts=True,
        unique_fields=["story", "model"],
        update_fields=["text_hash", "vector"],
    )
