"""What comes in becomes stories. A repeat of an earlier story is recognised, not stored twice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q
from modelsearch.backends import get_search_backends_with_name

from composer.articles.article import Article, Collection, Form
from composer.articles.markup import text_of
from composer.digest import Digest, DigestStory
from composer.models import Publication, Story
from composer.models.story import fingerprint
from composer.reading.languages import ENOUGH_TEXT, is_another_language, language_of
from composer.sanitising import rich_text

#: Stories stored by one statement.
_AT_ONCE = 200
_ORIGINS: Mapping[Form, Story.Origin] = {
    "page": Story.Origin.URL,
    "feed": Story.Origin.FEED,
    "csv": Story.Origin.FILE,
    "json": Story.Origin.FILE,
}


@dataclass(frozen=True, kw_only=True)
class Intake:
    created: int
    repeated: int
    #: One for every story that came in, in its order; a repeat is the story that was there already.
    stories: tuple[Story, ...]
    #: Those of them that were there already, as often as they came.
    repeats: tuple[Story, ...]


@transaction.atomic
def take_in(publication: Publication, incoming: Digest | Collection) -> Intake:
    """Store the stories. Two imports at once agree on who created a story that is in both."""
    Publication.objects.select_for_update(no_key=True).get(pk=publication.pk)
    known = _Known(publication, stories := _unsaved(incoming))
    taken, new, repeats = [], [], []
    for story in stories:
        earlier = known.like(story)
        if earlier is None:
            story.publication = publication
            story.language = _own_language(story, publication)
            new.append(story)
            known.add(story)
        else:
            repeats.append(earlier)
        taken.append(earlier or story)
    _create(new)
    return Intake(created=len(new), repeated=len(repeats), stories=tuple(taken), repeats=tuple(repeats))


def earlier_stories(publication: Publication, incoming: Digest | Collection) -> list[Story | None]:
    """For each story, the one that is there already and that it would be taken for."""
    known = _Known(publication, stories := _unsaved(incoming))
    return [known.like(story) for story in stories]


class _Known:
    """Stories by their headlines; those from elsewhere are a repeat by their page too, whatever its headline says now."""

    def __init__(self, publication: Publication, incoming: Sequence[Story]) -> None:
        self._by_print: dict[str, Story] = {}
        self._by_url: dict[str, Story] = {}
        prints = [story.fingerprint for story in incoming]
        same = Q(fingerprint__in=prints) | Q(source_url__in=list(filter(None, map(_page_of, incoming))))
        for story in Story.objects.filter(same, publication=publication).order_by("-pk"):
            self._by_print[story.fingerprint] = self._by_url[story.source_url] = story  # the earliest one wins

    def like(self, incoming: Story) -> Story | None:
        return self._by_print.get(incoming.fingerprint) or self._by_url.get(_page_of(incoming) or "no page")

    def add(self, story: Story) -> None:
        self._by_print[story.fingerprint] = self._by_url[_page_of(story)] = story


def _own_language(story: Story, publication: Publication) -> str:
    """BCP 47, where the story is surely not in the publication's language; else empty."""
    text = f"{story.headline}\n{story.lede}\n{text_of(story.body)}"
    found = language_of(text) if len(text) >= ENOUGH_TEXT else ""
    return found if is_another_language(found, publication.language) else ""


def _page_of(story: Story) -> str:
    """A digest's source is what a story was made from, maybe one of several; elsewhere it is the story's own page."""
    return "" if story.origin == Story.Origin.DIGEST else story.source_url


def _create(stories: Sequence[Story]) -> None:
    """In bulk, because a poll stores hundreds: a `save()` each would take ten times as long, most of it for the search index."""
    Story.objects.bulk_create(stories, batch_size=_AT_ONCE)
    for _, backend in get_search_backends_with_name(with_auto_update=True):
        for start in range(0, len(stories), _AT_ONCE):
            backend.add_bulk(Story, stories[start : start + _AT_ONCE])


def _unsaved(incoming: Digest | Collection) -> list[Story]:
    if isinstance(incoming, Digest):
        stories = [_of_digest(story) for story in incoming.stories]
    else:
        origin = _ORIGINS[incoming.form]
        stories = [_of_article(article, origin) for article in incoming.articles]
    for story in stories:
        story.fingerprint = fingerprint(story.headline)
    return stories


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
