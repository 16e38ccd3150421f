"""A number of stories in the frame that is not how many there are."""

from dataclasses import replace

import pytest

from composer.checks import Problem, check
from composer.rendering import render
from tests.composer.editions import PUBLICATION, make_edition, make_story


def miscounted(text: str, language: str = "en", stories: int = 3) -> list[Problem]:
    content = make_edition(
        *(make_story(f"s{number}") for number in range(stories)),
        introduction_html=f"<p>{text}</p>",
        publication=replace(PUBLICATION, language=language),
    )
    return [problem for problem in check(content, render(content)) if problem.code == "stories.miscounted"]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Welcome to the twelve stories of this week."),
        ("en", "Here are 12 short good stories."),
        ("de", "Diese Woche zwölf Geschichten aus der Technik."),
        ("fr", "Voici douze histoires."),
        ("es", "Hoy: doce noticias."),
        ("ar", "إليكم اثنتا عشرة قصة هذا الأسبوع."),
        ("he", "השבוע שתים עשרה ידיעות."),
        ("zh", "本周十二条新闻。"),
    ],
)
def test_a_number_that_is_not_the_editions_is_named(language: str, text: str) -> None:
    (problem,) = miscounted(text, language)

    assert "there are 3" in problem.message
    assert problem.where == "introduction"
    assert not miscounted(text, language, stories=12)


@pytest.mark.parametrize(
    "text",
    [
        "Three stories today.",
        "More than twelve stories.",
        "12 percent of stories.",
        "Twelve people told us.",
        "Stories of 12.",
    ],
)
def test_what_is_no_count_of_the_edition_is_not_spoken_of(text: str) -> None:
    assert not miscounted(text)
