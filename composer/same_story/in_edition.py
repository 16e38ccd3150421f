"""An edition's stories among one another and among those that ran, for the checks. It makes no vectors: it must be quick."""

from collections.abc import Collection, Mapping
from itertools import combinations
from typing import Any

from composer.models import Edition, Placement, Story
from composer.same_story import embedding, vectors
from composer.same_story.features import Words, words
from composer.same_story.pool import Candidate, Pool
from composer.same_story.suggesting import last_placements

#: The last stories that ran: about two years of a weekly with ten.
MOST_PLACEMENTS = 1000


def told_before(edition: Edition, *, without: Collection[str]) -> dict[str, str]:
    """By block: where another story that tells the same news ran last, in words. Blocks `without` are left out."""
    own = {key: value for key, value in _stories(edition).items() if key not in without}
    if not own:
        return {}
    rows = (
        Placement.objects.filter(edition__publication=edition.publication_id, edition__number__isnull=False)
        .exclude(edition=edition.pk)
        .exclude(story=None)
        .exclude(story__in=[value["story"].pk for value in own.values() if value["story"]])
        .order_by("-edition__number", "number")
        .values_list("story", "headline", "story__lede", "story__source_url")[:MOST_PLACEMENTS]
    )
    others = {story: Candidate(Words(headline, lede), url, story) for story, headline, lede, url in reversed(rows)}
    candidates = [*(_candidate(value) for value in own.values()), *others.values()]
    pool = Pool(candidates, _vectors(candidates))
    found = {}
    for at, key in enumerate(own):
        best = pool.same_news(at, among=range(len(own), len(candidates)))
        if best:
            found[key] = best[0][0]
    placed = last_placements(other.story for other in found.values() if other.story)
    return {
        key: f"{placed[other.story]}: “{other.words.headline}”"
        for key, other in found.items()
        if other.story is not None and other.story in placed
    }


def similarity(edition: Edition) -> dict[frozenset[str], float]:
    """How alike in meaning two story blocks are, by their keys; without the extra nothing."""
    if not embedding.is_available():
        return {}
    candidates = {key: _candidate(value) for key, value in _stories(edition).items()}
    known = {list(candidates)[at]: vector for at, vector in _vectors(list(candidates.values())).items()}
    cosines = embedding.similarities(list(known.values()), list(known.values()))
    return {
        frozenset({first, second}): cosines[at][other]
        for (at, first), (other, second) in combinations(enumerate(known), 2)
    }


def _stories(edition: Edition) -> Mapping[str, Any]:
    return {str(child.id): child.value for child in edition.content if child.block_type == "story"}


def _candidate(value: Any) -> Candidate:
    told = words(value["headline"], value["lede"], str(getattr(value["body"], "source", "")))
    return Candidate(told, value["source_url"], value["story"].pk if value["story"] else None)


def _vectors(candidates: list[Candidate]) -> dict[int, bytes]:
    """By position. A block has the vector of the story it was copied from."""
    picked = Story.objects.filter(pk__in=[one.story for one in candidates if one.story])
    known = vectors.stored({story.pk: vectors.words_of(story) for story in picked}) if embedding.is_available() else {}
    return {at: known[one.story] for at, one in enumerate(candidates) if one.story in known}
