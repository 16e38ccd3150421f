"""More shapes that came in and were read wrong without a word: numbers, sections, bylines, subjects, links of headlines."""

import pytest

from composer.digest import Digest, parse

T = "The council voted nine to four on Tuesday night to close the road, after a long debate about buses and bins."
U = "Officials said the work would begin in May and be finished before the summer holidays, weather permitting."
ZH = "市议会投票决定从五月一日起禁止车辆通过码头路。"


def digest(*lines: str) -> Digest:
    return parse("\n\n".join(["Weekly", *lines]) + "\n")


def dropped(digest: Digest) -> list[tuple[str, str]]:
    return [(one.text, one.reason) for one in digest.report.dropped]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("1º Fecha o cais", "2º Fecha o cais"),
        ("1.ª Fecha o cais", "2.ª Fecha o cais"),
        ("1° - Fecha o cais", "2° - Fecha o cais"),
        ("① Fecha o cais", "② Fecha o cais"),
        ("❶Fecha o cais", "❷Fecha o cais"),
        ("（一）Fecha o cais", "（二）Fecha o cais"),
        ("第一条：Fecha o cais", "第二条：Fecha o cais"),
        ("第1則: Fecha o cais", "第2則: Fecha o cais"),
        ("๑. Fecha o cais", "๒. Fecha o cais"),
        ("१. Fecha o cais", "२. Fecha o cais"),
        ("۱. Fecha o cais", "۲. Fecha o cais"),
    ],
)
def test_the_number_is_no_part_of_the_headline(first: str, second: str) -> None:
    found = digest(first, ZH, second, ZH)

    assert [story.headline for story in found.stories] == ["Fecha o cais"] * 2
    assert found.report.doubts == ()


def test_degrees_are_no_number_of_a_story() -> None:
    found = digest("1. Quay", T, "20°C are expected on Friday, and rain on Saturday.", "2. Trams", U)

    assert len(found.stories) == 2
    assert "20°C are expected" in found.stories[0].body_html


@pytest.mark.parametrize(
    ("politics", "culture", "headings"),
    [
        ("🏛 Politics", "🎭 Culture", ["🏛 Politics", "🎭 Culture"]),
        ("=== Politics ===", "=== Culture ===", ["Politics", "Culture"]),
        ("— Politics —", "— Culture —", ["Politics", "Culture"]),
        ("Politics:", "Culture:", ["Politics", "Culture"]),
    ],
)
def test_sections_however_they_are_dressed(politics: str, culture: str, headings: list[str]) -> None:
    found = digest("Good morning.", politics, "1. Quay", T, culture, "2. Opera", U)

    assert [(one.heading, one.before) for one in found.sections] == [(headings[0], 1), (headings[1], 2)]
    assert found.stories[0].body_html == ""


def test_a_place_under_each_story_stays_there_and_is_reported() -> None:
    found = digest("1. Quay", T, U, "📍 Quay Road", "2. Opera", T, U, "📍 Opera Square", "3. Trams", U)

    assert found.sections == ()
    assert "📍 Quay Road" in found.stories[0].body_html
    assert [doubt.text for doubt in found.report.doubts] == ["📍 Quay Road", "📍 Opera Square"]


def test_bylines_and_dates_under_headlines_are_no_lede() -> None:
    found = digest("1. Quay", "By Jane Doe", "November 3, 2026", T, "2. Trams", "By Bo Li | 3 min read", U)

    assert [story.lede for story in found.stories] == [T, U]
    assert dropped(found) == [
        ("By Jane Doe", "a byline"),
        ("November 3, 2026", "a date"),
        ("By Bo Li | 3 min read", "a byline"),
    ]


def test_counts_side_by_side_are_dropped() -> None:
    found = digest("1. Quay", T, "12 likes · 3 comments", "2. Trams", U, "Tweet")

    assert [text for text, _ in dropped(found)] == ["12 likes · 3 comments", "Tweet"]
    assert [story.body_html for story in found.stories] == ["", ""]


@pytest.mark.parametrize("mark", ["FW: ", "Fwd: ", "WG: ", ""])
def test_a_forwarded_subject_is_the_title_once(mark: str) -> None:
    header = f"From: Jane <jane@example.com>\nSent: Tuesday\nTo: Bo\nSubject: {mark}Weekly"
    found = parse(f"{header}\n\nWeekly\n\n1. Quay\n\n{T}\n\n2. Trams\n\n{U}\n")

    assert (found.title, found.introduction, len(found.stories)) == ("Weekly", (), 2)


def mail(body: str) -> Digest:
    header = (
        "From: Jane <j@example.com>\nSubject: Harbour Weekly\nMIME-Version: 1.0\nContent-Type: text/html; charset=utf-8"
    )
    return parse(f"{header}\n\n{body}<h2>1. Quay</h2><p>{T}</p><h2>2. Trams</h2><p>{U}</p>".encode())


def test_a_mail_that_begins_with_its_text_has_its_subject_as_title() -> None:
    found = mail("<p>Good morning, readers.</p>")
    assert (found.title, found.introduction) == ("Harbour Weekly", ("Good morning, readers.",))


def test_a_subject_beside_another_title_is_reported() -> None:
    found = mail("<h1>The week at the quay</h1><p>Good morning.</p>")

    assert found.title == "The week at the quay"
    assert ("Harbour Weekly", "the mail's subject: the text has its own title") in dropped(found)


def test_the_link_of_a_headline_is_the_source() -> None:
    found = parse(
        f"<h1>Weekly</h1><h2><a href='https://example.com/q'>Quay</a></h2><p>{T}</p>"
        f"<h2><a href='https://example.com/t'>Trams</a></h2><p>{U}</p><p>Source: <a href='https://post.example/t'>The Post</a></p>"
    )
    first, second = found.stories

    assert (first.source_name, first.source_url) == ("example.com", "https://example.com/q")
    assert (second.source_name, second.source_url) == ("The Post", "https://post.example/t")
    assert ("https://example.com/t", "a link of the headline, beside the source") in dropped(found)


@pytest.mark.parametrize("headline", ["Des trams la nuit", "Mai 68 au musée"])
def test_only_a_number_with_a_full_stop_may_be_a_date(headline: str) -> None:
    assert digest("1) Le quai", T, f"2) {headline}", U).report.doubts == ()


@pytest.mark.parametrize(
    "closing",
    ["Per concludere", "Em conclusão", "Tot slot", "Na koniec", "Напоследок", "おわりに", "마치며"],
)
def test_closings_in_seven_more_languages(closing: str) -> None:
    found = digest("1. Quay", T, "2. Trams", U, closing, "Until Friday.")
    assert (found.closing_heading, found.closing) == (closing, ("Until Friday.",))
