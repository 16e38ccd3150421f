"""Which stories of a publication tell the same news as given ones, in words for an editor."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Literal

from django.db.models import Case, When
from django.db.models.functions import Left
from django.utils.timezone import localdate

from composer.models import Placement, Publication, Story
from composer.same_story import vectors
from composer.same_story.comparing import Comparison
from composer.same_story.features import MOST_CHARACTERS, words
from composer.same_story.pool import Candidate, Pool

#: The newest stories that are looked at.
MOST_STORIES = 10_000
_MOST_READ = 2 * MOST_CHARACTERS


@dataclass(frozen=True, kw_only=True)
class Placed:
    """Where a story ran last."""

    edition: int
    position: int
    date: dt.date

    def __str__(self) -> str:
        return f"No. {self.edition} as #{self.position}, {self.date.day} {self.date:%B}"


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    #: ran: it was in an edition; inbox: it was in none yet, or is one of those that were asked about.
    kind: Literal["ran", "inbox"]
    score: float
    headline: str
    #: None for a story that is not saved yet.
    story: int | None = None
    placed: Placed | None = None

    def __str__(self) -> str:
        """“ran in No. 118 as #4, 17 November: …”, “same news as …”."""
        return f"ran in {self.placed}: “{self.headline}”" if self.placed else f"same news as “{self.headline}”"


def suggestions(
    publication: Publication, stories: Sequence[Story], *, most: int = MOST_STORIES, make_vectors: bool = True
) -> list[tuple[Suggestion, ...]]:
    """For each story, those of the publication that tell the same news, the surest first; the stories need not be saved.

    They are compared with the publication's `most` newest stories and with one another. Makes the vectors of `stories` where
    the extra is installed, a tenth of a second each, unless told not to; of the others those are used that are stored.
    """
    if not stories:
        return []
    own = [Candidate(vectors.words_of(story), story.source_url, story.pk) for story in stories]
    rows = (
        Story.objects.filter(publication=publication)
        .exclude(pk__in=[story.pk for story in stories if story.pk])
        .annotate(told=Case(When(lede="", then=Left("body", _MOST_READ)), default=Left("lede", _MOST_READ)))
        .values_list("pk", "headline", "told", "source_url")[:most]
    )
    others = [Candidate(words(headline, "", told), url, pk) for pk, headline, told, url in rows]
    made = vectors.made(stories) if make_vectors else {}
    known = vectors.stored({other.story: other.words for other in others if other.story})
    pool = Pool(
        [*own, *others],
        {at: made[at] for at in made}
        | {at: known[one.story] for at, one in enumerate(others, start=len(own)) if one.story in known},
    )
    found = [pool.same_news(at) for at in range(len(own))]
    placed = last_placements(candidate.story for candidate, _ in chain.from_iterable(found) if candidate.story)
    return [tuple(_suggestion(candidate, score, placed) for candidate, score in best) for best in found]


def last_placements(stories: Iterable[int]) -> dict[int, Placed]:
    """Where stories ran last, by story; those that never ran are missing."""
    rows = (
        Placement.objects.filter(story__in=set(stories), edition__number__isnull=False)
        .order_by("edition__number")
        .select_related("edition__publication")
        .only("story", "number", "edition__number", "edition__slot", "edition__publication__timezone")
    )
    return {
        row.story_id: Placed(
            edition=row.edition.number or 0,
            position=row.number,
            date=localdate(row.edition.slot, row.edition.publication.zone),
        )
        for row in rows
        if row.story_id
    }


def _suggestion(candidate: Candidate, found: Comparison, placed: Mapping[int, Placed]) -> Suggestion:
    where = placed.get(candidate.story or 0)
    return Suggestion(
        kind="ran" if where else "inbox",
        score=round(found.score, 3),
        headline=candidate.words.headline,
        story=candidate.story,
        placed=where,
    )
