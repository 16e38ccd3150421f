"""What comes in is stored once, and can be found."""

import pytest
from wagtail.search.backends import get_search_backend

from composer.articles.article import Article, Collection
from composer.digest import parse
from composer.intake import earlier_stories, take_in
from composer.models import Story
from tests.factories import make_publication

pytestmark = pytest.mark.django_db

DIGEST = (
    "The Week\n\nHello.\n\n1. Quay closes\n\nThe quay closes on Monday.\n\n2. Trams at night\n\nTrams run all night.\n"
)


def page(headline: str, url: str) -> Collection:
    return Collection(form="page", articles=(Article(headline=headline, url=url),))


def test_stories_stored_in_bulk_are_found_by_the_search() -> None:
    publication = make_publication()
    take_in(publication, parse(DIGEST))
    take_in(publication, page("Harbour dredged", "https://example.com/harbour"))

    for words, headline in (("trams", "Trams at night"), ("Monday", "Quay closes"), ("harbour", "Harbour dredged")):
        assert [story.headline for story in get_search_backend().search(words, Story)] == [headline]
    assert [story.headline for story in get_search_backend().autocomplete("harb", Story)] == ["Harbour dredged"]


def test_a_page_is_a_repeat_by_its_address_and_a_digest_by_its_headlines() -> None:
    publication = make_publication()
    earlier = take_in(publication, page("Quay closes", "https://example.com/quay")).stories

    again = page("The quay closes on Monday", "https://example.com/quay")
    assert earlier_stories(publication, again) == list(earlier)
    assert earlier_stories(publication, page("Another", "")) == [None]
    assert earlier_stories(publication, parse(DIGEST)) == [*earlier, None]
    assert earlier_stories(make_publication(slug="other"), again) == [None]
    assert take_in(publication, again).stories == earlier
    assert take_in(publication, parse(DIGEST)).repeats == earlier


def test_what_comes_twice_in_one_collection_is_one_story() -> None:
    articles = tuple(
        Article(headline=headline, url=url)
        for headline, url in (("Quay", "https://example.com/a"), ("QUAY!", ""), ("Dock", "https://example.com/a"))
    )

    intake = take_in(make_publication(), Collection(form="feed", articles=articles))

    assert (intake.created, intake.repeated) == (1, 2)
    assert {story.pk for story in intake.stories} == {Story.objects.get().pk}
