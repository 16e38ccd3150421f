"""A story in another language than its publication's says so, to screen readers and to the checks."""

import pytest
from lxml import html as lxml_html

from composer.checks import check
from composer.composition import compose
from composer.conversion import edition_content
from composer.digest import parse
from composer.models import Story
from composer.rendering import render
from composer.rendering.strings import direction_of_language
from tests.composer.editions import make_edition, make_story
from tests.factories import make_publication

ARABIC = "صوت مجلس المدينة مساء الثلاثاء على إغلاق طريق الرصيف أمام السيارات اعتبارا من أول مايو بعد نقاش طويل استمر حتى منتصف الليل. "
ENGLISH = (
    "The city council voted on Tuesday night to close the quay road to cars from the first of May after a long debate. "
)


def story(key: str, language: str, text: str, headline: str = "Quay") -> object:
    return make_story(
        key, headline=headline, lede=text, body_html=f"<p>{text * 3}</p><ul><li>{text}</li></ul>", language=language
    )


@pytest.mark.parametrize("theme", ["digest", "briefing", "magazine"])
def test_the_mail_says_which_language_a_story_is_in(theme: str) -> None:
    edition = make_edition(
        story("a", "en", ENGLISH), story("b", "ar", ARABIC, "الرصيف"), story("c", "", ENGLISH, "Trams")
    )
    page = lxml_html.document_fromstring(render(edition, theme=theme).html)

    (headline,) = [one for one in page.iter("h2") if one.text_content() == "الرصيف"]
    (spoken,) = [one for one in headline.iterancestors("div") if one.get("lang") == "ar"]
    assert spoken.get("dir") == "rtl"
    assert "text-align:right" in spoken.get("style", "").replace(" ", "")
    (bullets,) = page.xpath("//div[@lang='ar']//ul")
    assert "padding-left:0" in bullets.get("style")
    assert "padding-right:24px" in bullets.get("style")
    said = " ".join(one.text_content() for one in page.iter("div") if one.get("lang") == "ar")
    assert ARABIC.strip() in " ".join(said.split())
    # Those in the publication's own language add nothing.
    assert {one.get("lang") for one in page.iter("div", "p", "h2")} - {None} == {"en", "ar"}
    assert not [one for one in page.iter("h2") if one.get("lang")]


def test_what_is_no_tag_of_a_language_never_reaches_the_mail() -> None:
    edition = make_edition(story("a", 'x" onload="', ENGLISH))
    assert "onload" not in render(edition).html
    assert ("language.unknown", "story 1") in {(one.code, one.where) for one in check(edition, render(edition))}


def test_the_checks_are_content_with_a_language_that_is_said_and_right() -> None:
    def codes(language: str) -> set[str]:
        edition = make_edition(story("a", "", ENGLISH), story("b", language, ARABIC, "الرصيف"))
        return {one.code for one in check(edition, render(edition)) if one.code.startswith("language")}

    assert codes("") == {"language.story"}
    assert codes("ar") == set()
    assert codes("de") == {"language.story"}


@pytest.mark.parametrize(
    ("tag", "direction"),
    [("en", "ltr"), ("ar", "rtl"), ("he-IL", "rtl"), ("az-Arab", "rtl"), ("uz_Latn", "ltr"), ("ar-Latn", "ltr")],
)
def test_the_direction_follows_from_the_language(tag: str, direction: str) -> None:
    assert direction_of_language(tag) == direction


@pytest.mark.django_db
def test_a_story_that_comes_in_knows_its_language_and_takes_it_into_the_edition() -> None:
    digest = f"The Week\n\nHello there.\n\n1. Quay closes\n\n{ENGLISH * 3}\n\n2. الرصيف\n\n{ARABIC * 3}\n"
    edition = compose(make_publication(language="en"), digest=parse(digest))

    assert dict(Story.objects.values_list("headline", "language")) == {"Quay closes": "", "الرصيف": "ar"}
    assert [one.language for one in edition_content(edition).stories] == ["", "ar"]
