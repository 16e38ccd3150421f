"""Inputs of real editors that were read wrong: what is right of each. Nothing of them is lost."""

import re
from pathlib import Path

import pytest

from composer.digest import Digest, DigestError, parse

CASES = Path(__file__).parent / "cases"


def read(name: str) -> Digest:
    (path,) = CASES.glob(f"{name}-*.txt")
    return parse(path.read_bytes())


@pytest.mark.parametrize(
    ("name", "headlines"),
    [
        ("08", ["Kaistraße gesperrt", "Mai: Beginn der Arbeiten", "Nachttram kommt"]),
        ("10", ["腾讯发布新模型", "阿里云降价", "京东扩张"]),
        ("15", ["إغلاق طريق الرصيف أمام السيارات", "الترام يعمل ليلا", "سقف جديد للسوق"]),
        ("17", ["Quay road closes", "Trams run at night"]),
        ("20", ["Quay road closes", "Trams & buses"]),
        ("22", ["Quay road closes", "Trams run at night"]),
        ("30", ["Ulica zamknięta", "Tramwaje nocą"]),
        ("42", ["Quay road closes", "Trams run at night", "Market gets a roof"]),
        ("60", ["Quay road closes", "Trams run at night", "Market gets a roof"]),
        ("82", ["Quay road closes", "Trams run", "Market roof"]),
        ("85", ["Quay road closes", "Trams run at night", "Market roof"]),
        ("86", ["Quay road closes", "Trams run at night", "Market roof"]),
    ],
)
def test_its_stories_are_these(name: str, headlines: list[str]) -> None:
    assert [story.headline for story in read(name).stories] == headlines


@pytest.mark.parametrize("path", sorted(CASES.glob("*.txt")), ids=lambda path: path.stem)
def test_no_word_of_it_is_lost(path: Path) -> None:
    """Letters of every line are in the edition, or in the report as dropped."""
    raw = path.read_bytes()
    found = parse(raw)
    call = found.call_to_action
    told = [found.title, found.introduction_html, found.closing_heading, found.closing_html]
    told += [f"{story.headline} {story.lede} {story.body_html} {story.source_url}" for story in found.stories]
    told += [section.heading for section in found.sections] + [one.text for one in found.report.dropped]
    told += [call.text, call.url] if call else []
    kept = set(re.findall(r"\w{4,}", " ".join(told)))
    text = raw.decode(found.report.encoding).replace("\xad", "").replace("&amp;", "&")

    assert {word for word in re.findall(r"\w{4,}", text) if word not in kept} - {"Source", "Subject"} == set()


def test_a_date_that_may_be_a_headline_is_reported() -> None:
    (doubt,) = read("08").report.doubts
    assert (doubt.line, "may be a date" in doubt.message) == (9, True)


def test_closings_are_known_in_other_languages() -> None:
    assert [read(name).closing_heading for name in ("10", "15", "49b")] == ["结语", "ختاما", "Zum Schluss"]


def test_arabic_runs_from_the_right() -> None:
    assert read("15").report.direction == "rtl"
    assert read("15").report.language == "ar"


def test_markdown_becomes_links_emphasis_and_lists() -> None:
    first, second = read("17").stories

    assert '<a href="https://example.com/drawings">the drawings</a>' in first.body_html
    assert "<ul><li>Deliveries before ten</li><li>Ferry stays open</li></ul>" in first.body_html
    assert second.source_url == "https://example.com/trams"
    assert "<strong>readers</strong>" in read("17").introduction_html


def test_bare_addresses_become_links() -> None:
    first, second, third = read("21").stories

    assert '<a href="https://example.com/plan">' in first.body_html
    assert '<a href="https://example.com/drawings">' in first.body_html
    assert (second.source_name, second.source_url) == ("example.com", "https://example.com/trams")
    assert '<li>Council minutes: <a href="https://example.com/minutes">' in third.body_html


def test_bullets_are_a_list_and_soft_hyphens_nothing() -> None:
    first = read("22").stories[0]

    assert first.lede == "The council voted “nine to four” on Tuesday."
    assert first.body_html == "<ul><li>Deliveries before ten</li><li>Ferry stays</li></ul>"
    assert [story.body_html[:8] for story in read("52").stories] == ["<ul><li>"] * 2


def test_polish_in_an_old_encoding_is_read_as_polish() -> None:
    found = read("30")

    assert (found.report.encoding, found.report.language) == ("cp1250", "pl")
    assert "Windows-1250" in found.report.doubts[0].message


def test_the_foot_of_the_page_is_dropped_with_reasons() -> None:
    found = read("36")

    assert found.closing == ("See you next week.",)
    assert [one.line for one in found.report.dropped] == [17, 19, 20, 22, 24, 26, 28, 30, 32]
    assert all(one.reason for one in found.report.dropped)


def test_bylines_and_dates_are_no_introduction() -> None:
    found = read("37")

    assert found.introduction == ("Good morning.",)
    assert [(one.text, one.reason) for one in found.report.dropped] == [
        ("By Jane Doe", "a byline"),
        ("March 3, 2024", "a date"),
        ("5 min read", "how long it takes to read, by the page"),
    ]


def test_lines_in_capitals_between_stories_are_sections() -> None:
    assert [(one.heading, one.before) for one in read("42").sections] == [("POLITICS", 1), ("CULTURE", 2), ("SPORT", 3)]


@pytest.mark.parametrize(
    ("name", "text", "url"),
    [
        ("50", "Read the full report before Friday", "https://example.com/report.pdf?x=1&y=2"),
        ("51", "Read the full report", "https://example.com/report"),
    ],
)
def test_a_call_to_action_reads_well_without_its_address(name: str, text: str, url: str) -> None:
    call = read(name).call_to_action

    assert call is not None
    assert (call.text, call.url) == (text, url)


@pytest.mark.parametrize(("name", "lines"), [("60", [9, 13]), ("62", [5, 9])])
def test_doubtful_headlines_are_reported_by_line(name: str, lines: list[int]) -> None:
    assert [one.line for one in read(name).report.doubts] == lines


def test_short_lines_stay_lines() -> None:
    assert [read("73").stories[0].lede, *read("73").stories[0].paragraphs] == [
        "Apple 190.2",
        "Microsoft 410.1",
        "alphabet 140",
    ]


def test_a_sentence_is_no_closing() -> None:
    assert read("75").closing_heading == ""
    assert "That’s it, said the mayor" in read("75").stories[1].body_html


def test_a_call_inside_the_last_story_belongs_to_it() -> None:
    found = read("76")

    assert (found.closing_heading, found.call_to_action) == ("", None)
    assert "<h3>What you can do</h3>" in found.stories[1].body_html


def test_the_title_is_not_the_pages_navigation() -> None:
    assert read("78").title == "Harbour Weekly"
    assert read("80").title == "Harbour Weekly"
    assert read("80").introduction == ("Good morning.",)


# More of the same kinds


def digest(*lines: str, title: str = "Harbour Weekly") -> Digest:
    return parse("\n\n".join([title, "Good morning.", *lines]))


TEXT = "The council voted nine to four on Tuesday night to close the road, after a long debate about buses."


@pytest.mark.parametrize(
    "form",
    [
        "{}. ",
        "{}.",
        "{}) ",
        "({}) ",
        "#{} ",
        "{} - ",
        "{} – ",
        "{}: ",
        "{}.- ",
        "{}/ ",
        "{} | ",
        "{}、",
        "Story {}: ",
        "No. {}: ",
        "**{}.** ",
        "## {}. ",
        "• {}. ",
    ],
)
@pytest.mark.parametrize("count", [1, 3, 12, 104])
def test_headlines_are_known_in_every_form(form: str, count: int) -> None:
    lines = [line for number in range(1, count + 1) for line in (f"{form.format(number)}Trams run at night", TEXT)]

    found = digest(*lines)

    assert [story.headline for story in found.stories] == ["Trams run at night"] * count
    assert [story.lede for story in found.stories] == [TEXT] * count


@pytest.mark.parametrize(
    "numbers",
    [
        ("一、", "二、", "三、"),
        ("１．", "２．", "３．"),
        ("١. ", "٢. ", "٣. "),
        ("1️⃣ ", "2️⃣ ", "3️⃣ "),
        ("1\u200b.\u200e ", "\ufeff2. ", "3.\xa0"),
    ],
    ids=["chinese", "full-width", "arabic", "keycaps", "invisible"],
)
def test_numbers_are_read_in_every_script(numbers: tuple[str, ...]) -> None:
    found = digest(*(line for number in numbers for line in (f"{number}Trams run at night", TEXT)))

    assert [story.headline for story in found.stories] == ["Trams run at night"] * 3


@pytest.mark.parametrize("form", ["## {}", "### {}", "**{}**", "<h2>{}</h2>"])
def test_headlines_without_numbers_are_headings(form: str) -> None:
    found = digest(
        *(
            line
            for name in ("Trams", "Quay", "Market")
            for line in (form.format(name), f"<p>{TEXT}</p>" if "<" in form else TEXT)
        )
    )

    assert [story.headline for story in found.stories] == ["Trams", "Quay", "Market"]
    assert all(TEXT in f"{story.lede}{story.body_html}" for story in found.stories)


def test_short_lines_are_headlines_where_nothing_else_is_and_that_is_reported() -> None:
    found = digest("Trams run at night", TEXT, "Quay road closes", TEXT)

    assert [story.headline for story in found.stories] == ["Trams run at night", "Quay road closes"]
    assert "no headline has a number" in found.warnings[0]


def test_headings_without_a_title_are_refused_for_that() -> None:
    with pytest.raises(DigestError, match="no title"):
        parse(f"## Trams\n\n{TEXT}\n\n## Quay\n\n{TEXT}\n")


def test_numbers_on_lines_of_their_own_are_refused() -> None:
    with pytest.raises(DigestError, match="number 1 has no headline"):
        digest("1", "Trams run at night", TEXT, "2", "Quay road closes", TEXT)


def test_higher_headings_are_sections() -> None:
    text = f"# Weekly\n\nHello.\n\n## Politics\n\n### Trams\n\n{TEXT}\n\n### Quay\n\n{TEXT}\n\n## Sport\n\n### Market\n\n{TEXT}\n"

    found = parse(text)

    assert [story.headline for story in found.stories] == ["Trams", "Quay", "Market"]
    assert [(one.heading, one.before) for one in found.sections] == [("Politics", 1), ("Sport", 3)]


def test_a_list_inside_a_story_is_a_list_and_reported() -> None:
    found = digest("1. Trams", TEXT, "1. apples\n2. pears\n3. figs", "2. Quay", TEXT)

    assert [story.headline for story in found.stories] == ["Trams", "Quay"]
    assert "apples" in found.stories[0].body_html
    assert "a list that begins with 1" in found.warnings[0]


def test_a_list_that_counts_on_is_never_taken_in_silence() -> None:
    with pytest.raises(DigestError, match=r"number 2 again|has no text"):
        digest("1. Trams", TEXT, "2. apples\n3. pears", "2. Quay", TEXT)


def test_comments_may_be_a_subheading() -> None:
    found = digest(
        "1. Trams",
        TEXT,
        "Comments",
        "The mayor said that nothing would change before the summer.",
        "2. Quay",
        TEXT,
        "Comments",
    )

    assert "<h3>Comments</h3>" in found.stories[0].body_html
    assert [one.text for one in found.report.dropped] == ["Comments"]


@pytest.mark.parametrize(
    ("line", "name", "url"),
    [
        ("Source: Harbour Post https://example.com/a", "Harbour Post", "https://example.com/a"),
        ("Quelle: Hafenpost", "Hafenpost", ""),
        ("(via Harbour Post)", "Harbour Post", ""),
        ("https://www.example.com/a", "example.com", "https://www.example.com/a"),
        ("来源：港口报 https://example.com/a", "港口报", "https://example.com/a"),
    ],
)
def test_a_storys_last_line_names_its_source(line: str, name: str, url: str) -> None:
    story = digest("1. Trams", TEXT, line).stories[0]

    assert (story.source_name, story.source_url, story.body_html) == (name, url, "")
