"""Checks that read what editors wrote: names, months, last week's words, link texts, subjects."""

import datetime as dt
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from composer import digest as digests
from composer.checks import ExternalFacts, History, Problem, check
from composer.content import ButtonBlock, CallToAction, EditionContent
from composer.rendering import render
from newsdesk.core.paths import samples_dir
from tests.composer.editions import PUBLICATION, make_edition, make_story

SHARED = Path(os.environ.get("NEWSDESK_DIGESTS", "../shared/digests"))


def found(content: EditionContent, code: str, given: ExternalFacts | None = None) -> list[Problem]:
    problems = check(content, render(content), given or ExternalFacts())
    return [problem for problem in problems if problem.code == code]


def telling(*bodies: str, **fields: Any) -> EditionContent:
    stories = [
        make_story(f"s{number}", lede=body, body_html="", source_url="") for number, body in enumerate(bodies, start=1)
    ]
    return make_edition(*stories, **fields)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Shares of ByteDance rose.", "The plan of Bytedance is bold."),
        ("We asked Nestlé about it.", "Later the people at Nestle agreed."),
        ("People on TikTok agree.", "There is more on Tik Tok today."),
        ("The app called Lemon8 grows.", "They say that Lemon 8 shrinks."),
        ("He was seen on TIKTOK today.", "She was seen on TikTok too."),
        ("The owner of Pinduoduo spoke.", "The owner of Pinduodo was silent."),
        ("They buy from Shein often.", "They sell to Shien rarely."),
        ("A letter from Shanmugam came.", "A reply to Shanmugem went."),
    ],
)
def test_one_name_in_two_spellings_is_found_with_both_places(first: str, second: str) -> None:
    (problem,) = found(telling(first, second), "names.differ")

    assert problem.level == "warning"
    assert "(story 1)" in problem.message
    assert "(story 2)" in problem.message


@pytest.mark.parametrize(
    "text",
    [
        "They met in Asia. The Asian markets fell, and so did Asians in Asia’s south.",
        "E-commerce grows. The E-Commerce law stands, and e-commerce with it.",
        "Vivo is a brand, and vivo says so. Its name is vivo. The makers of Vivo agree.",
        "The makers of GPT3 and of GPT4 met, as did those of OriginOS and OriginOS2.",
        "A file of Iran and one of Iraq. We like Sensor and also the Senior one.",
        "Visit https://example.com/ByteDance or write to a@Bytedance.com about it.",
        "He likes Jansen, she likes Hansen and they like Janet.",
        "Our NATO desk and the IPO desk met. Ipo is a town.",
    ],
)
def test_what_is_no_slip_is_left_alone(text: str) -> None:
    assert found(telling(text), "names.differ") == []


def test_german_nouns_are_no_names() -> None:
    german = replace(PUBLICATION, language="de")

    assert found(telling("Wir sahen die Kirschen und die Kirchen dort.", publication=german), "names.differ") == []


@pytest.mark.parametrize("path", sorted(samples_dir().glob("*.txt")), ids=lambda path: path.stem)
def test_the_samples_raise_no_false_alarm(path: Path) -> None:
    assert found(digests.content(digests.parse(path.read_bytes()), PUBLICATION), "names.differ") == []


def test_the_shared_digests_raise_at_most_one_false_alarm() -> None:
    paths = sorted(SHARED.glob("*.txt"))
    if not paths:
        pytest.skip("the shared digests are not at hand")
    for path in paths:
        alarms = found(digests.content(digests.parse(path.read_bytes()), PUBLICATION), "names.differ")
        true = [problem for problem in alarms if "Bytedance" in problem.message]
        assert len(true) == path.name.startswith("004"), path.name
        assert len(alarms) - len(true) <= 1, path.name


APRIL = dt.date(2025, 4, 11)


def frame(text: str, **fields: Any) -> EditionContent:
    return make_edition(call_to_action=CallToAction(label=text), date=APRIL, **fields)


@pytest.mark.parametrize(
    ("text", "stale"),
    [
        ("Read the findings of the February report", True),
        ("Read the findings of the November report", True),
        ("Read the findings of the March report", False),
        ("Read the April report", False),
        ("Sign up for May 3", False),
        ("You may march on, Augustus", False),
    ],
)
def test_a_month_that_has_passed_is_named(text: str, stale: bool) -> None:
    problems = found(frame(text), "month.stale")

    assert bool(problems) is stale
    assert all("this is April" in problem.message and problem.where == "call to action" for problem in problems)


def test_last_months_name_is_stale_once_the_month_has_turned() -> None:
    text = "Read the March report"
    given = ExternalFacts(history=History(last=replace(frame(text), date=dt.date(2025, 3, 28))))

    assert "as the edition before did" in found(frame(text), "month.stale", given)[0].message


@pytest.mark.parametrize(
    ("language", "text", "this"),
    [
        ("de", "Zum Bericht vom Februar", "this is April"),
        ("pl-PL", "Raport z 3 lutego", "this is kwietnia"),
        ("fi", "Raportti helmikuuta koskien", "this is huhtikuuta"),
    ],
)
def test_months_are_known_in_the_publications_language(language: str, text: str, this: str) -> None:
    content = frame(text, publication=replace(PUBLICATION, language=language))

    assert this in found(content, "month.stale")[0].message


@pytest.mark.parametrize("language", ["ja", "th", "no such language"])
def test_months_that_are_no_words_are_not_looked_for(language: str) -> None:
    assert not found(frame("2月 February", publication=replace(PUBLICATION, language=language)), "month.stale")


def test_what_stayed_from_last_week_is_found() -> None:
    last = make_edition(
        make_story("a", source_url="https://example.com/one"),
        number=117,
        call_to_action=CallToAction(label="Read", url="https://www.example.com/report/"),
    )
    content = make_edition(
        make_story("b", body_html='<p><a href="http://example.com/one#x">The same page</a></p>'),
        make_story("c"),
        call_to_action=CallToAction(label="Read", url="https://example.com/report"),
    )
    given = ExternalFacts(history=History(last=last, ran={"c": 98}))

    problems = {problem.code: problem for problem in check(content, render(content), given)}

    assert problems["subject.same_as_last"].where == "subject"
    assert "No. 117" in problems["link.same_as_last"].message
    assert problems["cta.same_as_last"].where == "call to action"
    assert "No. 98" in problems["story.ran_before"].message
    assert problems["story.ran_before"].where == "story 2"


def test_two_stories_with_one_link_are_found() -> None:
    content = make_edition(
        make_story("a", source_url="https://example.com/one"),
        ButtonBlock(key="x", label="Elsewhere", url="https://example.com/two"),
        make_story("b", source_url="https://EXAMPLE.com/one/"),
    )

    (problem,) = found(content, "link.duplicate")

    assert (problem.where, "story 1" in problem.message) == ("story 2", True)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"subject": "🎉 Trams 🚋 at night"}, "subject.emoji"),
        ({"preheader": "ALL ABOUT THE NIGHT"}, "preheader.all_caps"),
        ({"preheader": "Trams at night! And more"}, "preheader.same"),
        ({"subject": "{{ unsubscribe_url }} for you"}, "subject.tag"),
        ({"preheader": "Hello {{ email }}"}, "preheader.tag"),
        ({"subject": '{{ first_name | default: "reader" }}!'}, "subject.only_tag"),
    ],
)
def test_the_inbox_lines(fields: dict[str, str], code: str) -> None:
    assert found(make_edition(**fields), code)


def test_a_merge_tag_is_as_long_as_what_is_read() -> None:
    subject = f'{"x" * 60} {{{{ first_name | default: "reader" }}}}'

    assert found(make_edition(subject=subject), "subject.long") == []


@pytest.mark.parametrize(("language", "text"), [("de", "Mehr lesen"), ("fr", "En savoir plus"), ("es", "aquí")])
def test_generic_link_texts_in_the_publications_language(language: str, text: str) -> None:
    content = make_edition(
        make_story(body_html=f'<p><a href="https://example.com/">{text}</a></p>'),
        publication=replace(PUBLICATION, language=language),
    )

    assert found(content, "link.generic_text")


def test_a_bare_address_is_no_link_text() -> None:
    address = "https://example.com/a/rather/long/path?with=more"
    content = make_edition(make_story(body_html=f'<p><a href="{address}">{address}</a></p>'))

    assert found(content, "link.bare_address")
