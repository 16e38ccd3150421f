"""What comes in becomes stories. A repeat of an earlier story is recognised, not stored twice."""

from dataclasses import dataclass

from django.db import transaction

from composer.digest import Digest, DigestStory
from composer.models import Publication, Story
from composer.models.story import fingerprint


@dataclass(frozen=True, kw_only=True)
class Intake:
    created: int
    repeated: int
    #: One for every story that came in, in its order; a repeat is the story that was there already.
    stories: tuple[Story, ...]
    #: Those of them that were there already, as often as they came.
    repeats: tuple[Story, ...]


@transaction.atomic
def import_digest(publication: Publication, digest: Digest) -> Intake:
    """Store the digest's stories. Two imports at once agree on who created a story that is in both."""
    Publication.objects.select_for_update(no_key=True).get(pk=publication.pk)
    prints = [fingerprint(story.headline) for story in digest.stories]
    known: dict[str, Story] = {}
    for story in Story.objects.filter(publication=publication, fingerprint__in=prints).order_by("-pk"):
        known[story.fingerprint] = story  # the earliest one wins
    stories: list[Story] = []
    repeats: list[Story] = []
    for mark, incoming in zip(prints, digest.stories, strict=True):
        if mark in known:
            repeats.append(known[mark])
        else:
            known[mark] = _stored(publication, incoming)
        stories.append(known[mark])
    return Intake(
        created=len(stories) - len(repeats), repeated=len(repeats), stories=tuple(stories), repeats=tuple(repeats)
    )


def _stored(publication: Publication, incoming: DigestStory) -> Story:
    return Story.objects.create(
        publication=publication,
        headline=incoming.headline,
        lede=incoming.lede,
        body=incoming.body_html,
        source_name=incoming.source_name,
        source_url=incoming.source_url,
        origin=Story.Origin.DIGEST,
    )
