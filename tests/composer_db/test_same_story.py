"""The same news among a publication's stories: suggested, warned about, and never merged."""

import datetime as dt
from typing import Any

import pytest

from composer.inspection import inspect
from composer.models import Story, StoryVector
from composer.same_story import embedding, vectors
from composer.same_story.suggesting import suggestions

pytestmark = pytest.mark.integration
needs_extra = pytest.mark.skipif(not embedding.is_available(), reason="the extra newsdesk[radar] is not installed")
TRAMS = {
    "headline": "Night trams start on four lines in December",
    "lede": "From 1 December trams run every thirty minutes after midnight on weekends.",
}
AGAIN = {
    "headline": "City to run night trams on four lines at weekends",
    "lede": "Trams run every thirty minutes after midnight from 1 December.",
}
#: Of which only the meaning is the same.
HALTED = {
    "headline": "US judge halts Montana’s TikTok ban from taking effect on January 1",
    "lede": "A US judge has blocked Montana’s first-of-its-kind ban on the short-video app, saying it violates free speech.",
}
BLOCKED = {
    "headline": "Federal court blocks Montana law that would have banned TikTok",
    "lede": "A preliminary injunction keeps the app available after Judge Donald Molloy found the law oversteps state power.",
}


def codes(edition: Any, code: str) -> list[Any]:
    return [problem for problem in inspect(edition).problems if problem.code == code]


@pytest.fixture
def ran(make_edition: Any, make_story: Any) -> Any:
    other = make_story("The library reopens", lede="The reading room has its ceiling back.")
    trams = make_story(**TRAMS)
    slot = dt.datetime(2026, 11, 17, 1, tzinfo=dt.UTC)
    return make_edition(blocks=[("story", {"story": other}), ("story", {"story": trams})], slot=slot)


def test_a_story_that_ran_in_other_words_is_suggested_with_its_place(
    ran: Any, publication: Any, make_story: Any
) -> None:
    again = make_story(**AGAIN)
    (found,) = suggestions(publication, [again])

    assert [str(one) for one in found] == [
        f"ran in No. {ran.number} as #2, 17 November: “Night trams start on four lines in December”"
    ]
    assert found[0].kind == "ran"
    assert Story.objects.filter(pk=again.pk).exists()


def test_two_in_the_inbox_and_two_unsaved_are_suggested(publication: Any, make_story: Any) -> None:
    make_story("A bridge is closed", lede="Engineers found cracks in two girders.")
    first = Story(publication=publication, **TRAMS)
    second = make_story(**AGAIN)

    found = suggestions(publication, [first, second])

    assert [[str(one) for one in each] for each in found] == [
        ["same news as “City to run night trams on four lines at weekends”"],
        ["same news as “Night trams start on four lines in December”"],
    ]


def test_the_same_page_is_found_whatever_the_words(publication: Any, make_story: Any) -> None:
    make_story("Rivers rise", source_url="https://www.example.com/water/?utm_source=x")
    other = make_story("Nothing of that kind", lede="", body="", source_url="http://m.example.com/water")

    ((found,),) = suggestions(publication, [other])

    assert (found.headline, found.score) == ("Rivers rise", 1.0)


def test_another_publications_stories_are_none_of_ours(make_publication: Any, make_story: Any) -> None:
    story = make_story(**TRAMS)
    other = make_publication(slug="daily", title="The Daily", from_email="daily@example.com")

    assert suggestions(other, [Story(publication=other, **TRAMS)]) == [()]
    assert suggestions(story.publication, []) == []


def test_an_edition_that_tells_it_again_is_warned(ran: Any, make_edition: Any, make_story: Any) -> None:
    again = make_edition(blocks=[("story", {"story": make_story(**AGAIN)})])

    (problem,) = codes(again, "story.told_before")

    assert (problem.level, problem.where) == ("warning", "story 1")
    assert f"No. {ran.number} as #2, 17 November: “Night trams" in problem.message
    assert not codes(again, "story.ran_before")


def test_the_very_story_is_warned_about_once(ran: Any, make_edition: Any) -> None:
    again = make_edition(blocks=[("story", {"story": Story.objects.get(headline=TRAMS["headline"])})])

    assert codes(again, "story.ran_before")
    assert not codes(again, "story.told_before")


def test_two_stories_of_one_edition_are_warned_about(make_edition: Any, make_story: Any) -> None:
    blocks = [("story", {"story": make_story(**fields)}) for fields in (TRAMS, AGAIN)]

    (problem,) = codes(make_edition(blocks=blocks), "story.same_news")

    assert (problem.level, problem.where) == ("warning", "story 2")
    assert "story 1" in problem.message


@needs_extra
def test_meaning_is_found_once_vectors_are_there(publication: Any, make_story: Any, make_edition: Any) -> None:
    stories = [make_story(**HALTED), make_story(**BLOCKED)]
    edition = make_edition(blocks=[("story", {"story": story}) for story in stories])
    assert not codes(edition, "story.same_news")

    assert vectors.fill(most=10) >= 2

    assert codes(edition, "story.same_news")
    assert [len(each) for each in suggestions(publication, stories)] == [1, 1]
    assert vectors.fill(most=10) == 0


@needs_extra
def test_an_edited_storys_vector_is_made_anew(publication: Any, make_story: Any) -> None:
    story = make_story(**HALTED)
    (before,) = vectors.made([story]).values()
    story.headline = "A bridge is closed"
    story.save()

    (after,) = vectors.made([story]).values()

    assert before != after
    assert bytes(StoryVector.objects.get().vector) == after


def test_without_the_extra_nothing_is_made(publication: Any, make_story: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "_folder", lambda: None)
    story = make_story(**HALTED)

    assert (vectors.made([story]), vectors.fill(most=10), embedding.is_available()) == ({}, 0, False)
    with pytest.raises(RuntimeError, match="radar"):
        embedding.embed(["text"])
