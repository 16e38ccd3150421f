"""The language of texts long and short, and what is held against a publication."""

import pytest

from composer.checks import check
from composer.reading.languages import direction_of, is_another_language, language_of
from composer.rendering import render
from tests.composer.editions import make_edition, make_story

GERMAN = (
    "Der Rat hat mit neun zu vier Stimmen beschlossen, die Straße am Kai für den Durchgangsverkehr zu sperren. Die Händler fürchten um ihren Umsatz, "
    "die Anwohner freuen sich auf ruhige Nächte, und im Herbst soll über die Zukunft entschieden werden."
)
ENGLISH = (
    "The council has voted nine to four to close the quay road to through traffic. Shopkeepers fear for their trade, people who live there look "
    "forward to quiet nights, and in autumn the future of the street will be decided."
)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (GERMAN, "de"),
        (ENGLISH, "en"),
        ("Le conseil municipal a voté la fermeture du quai aux voitures.", "fr"),
        ("El ayuntamiento ha votado cerrar el muelle al tráfico de coches.", "es"),
        ("Ulica nad nabrzeżem została zamknięta dla samochodów.", "pl"),
        ("Совет города закрыл набережную для автомобилей с первого мая.", "ru"),
        ("الترام يعمل ليلا على ثلاثة خطوط في المدينة من نهاية الشهر", "ar"),
        ("הכביש לאורך הרציף נסגר לתנועת כלי רכב", "he"),
        ("市议会投票决定从五月一日起禁止车辆通过码头路。", "zh"),
        ("市議会は五月から港の道路を車両通行止めにすることを決めた。", "ja"),
        ("시의회는 5월부터 부두 도로의 차량 통행을 막기로 했다.", "ko"),
        ("Quay", ""),
        ("1234 5678", ""),
        ("", ""),
    ],
)
def test_languages(text: str, language: str) -> None:
    assert language_of(text) == language


def test_directions() -> None:
    assert (direction_of("الترام يعمل ليلا 24"), direction_of("Trams at night"), direction_of("")) == (
        "rtl",
        "ltr",
        "ltr",
    )


@pytest.mark.parametrize(
    ("one", "other", "differs"),
    [("de", "en", True), ("en", "en-GB", False), ("zh", "zh-Hans", False), ("nb", "da", False), ("", "en", False)],
)
def test_what_is_held_against_a_publication(one: str, other: str, differs: bool) -> None:
    assert is_another_language(one, other) is differs


def codes(*bodies: str) -> list[tuple[str, str]]:
    edition = make_edition(
        *(make_story(f"s{at}", lede="", body_html=f"<p>{body}</p>") for at, body in enumerate(bodies))
    )
    found = check(edition, render(edition))
    return [(problem.code, problem.where) for problem in found if problem.code.startswith("language.")]


def test_an_edition_in_another_language_is_noticed() -> None:
    assert codes(GERMAN, GERMAN) == [("language.other", "")]
    assert codes(ENGLISH, GERMAN) == [("language.story", "story 2")]
    assert codes(ENGLISH, "Guten Tag, “Kaistraße”!") == []
