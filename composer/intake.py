"""What comes in becomes stories. A repeat of an earlier story is recognised, not stored twice."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q

from composer.articles.article import Article
from composer.digest import Digest, DigestStory
from composer.models import Publication, Story
from composer.models.story import fingerprint
from composer.sanitising import rich_text


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
    return _taken_in(publication, [_of_digest(story) for story in digest.stories])


@transaction.atomic
def import_articles(publication: Publication, articles: Iterable[Article], origin: Story.Origin) -> Intake:
    """Store articles as stories, likewise; one from the same page is a repeat too, whatever its headline says now."""
    return _taken_in(publication, [_of_article(article, origin) for article in articles])


def _taken_in(publication: Publication, incoming: Sequence[Story]) -> Intake:
    """`incoming` are not saved yet. Must run in a transaction."""
    Publication.objects.select_for_update(no_key=True).get(pk=publication.pk)
    prints = [fingerprint(story.headline) for story in incoming]
    urls = {story.source_url for story in incoming if story.source_url and story.origin != Story.Origin.DIGEST}
    known: dict[str, Story] = {}
    same = Q(fingerprint__in=prints) | Q(source_url__in=urls)
    for story in Story.objects.filter(same, publication=publication).order_by("-pk"):
        known[story.fingerprint] = story  # the earliest one wins
        if story.source_url in urls:
            known[story.source_url] = story
    stories: list[Story] = []
    repeats: list[Story] = []
    for mark, story in zip(prints, incoming, strict=True):
        url = story.source_url if story.source_url in urls else ""
        before = known.get(mark) or known.get(url)
        if before is not None:
            repeats.append(before)
        else:
            story.publication = publication
            story.save()
            before = known[mark] = story
            if url:
                known[url] = story
        stories.append(before)
    return Intake(
        created=len(stories) - len(repeats), repeated=len(repeats), stories=tuple(stories), repeats=tuple(repeats)
    )


def _of_digest(incoming: DigestStory) -> Story:
    return Story(
        headline=incoming.headline,
        lede=incoming.lede,
        body=incoming.body_html,
        source_name=incoming.source_name,
        source_url=incoming.source_url,
        origin=Story.Origin.DIGEST,
    )


def _of_article(article: Article, origin: Story.Origin) -> Story:
    return Story(
        headline=article.headline,
        lede=article.lede,
        body=rich_text(article.body_html),
        source_name=article.site,
        source_url=article.url,
        source_text=article.text,
        author=article.author,
        topics=", ".join(article.topics)[:300],
        published_on=article.published_on,
        alt=article.image_alt,
        origin=origin,
    )
