"""Lists, headings and bold lines inside stories beside the headlines: which of them count, and what is reported."""

import pytest

from composer.digest import Digest, DigestError, parse

T = "The council voted nine to four on Tuesday night to close the road, after a long debate about buses and bins."
U = "Officials said the work would begin in May and be finished before the summer holidays, weather permitting."
V = "Forty-one volunteers laid the first tiles on Saturday, and the mayor paid for the coffee out of his own pocket."
SOUP = ["Soup of the week", "Cake of the week"]


def headlines(found: Digest) -> list[str]:
    return [story.headline for story in found.stories]


def doubts(found: Digest) -> list[str]:
    return [doubt.text for doubt in found.report.doubts]


@pytest.mark.parametrize(
    ("raw", "reported"),
    [
        (f"# Weekly\n\nHi.\n\n## {SOUP[0]}\n\n{T}\n\n1. Fry.\n2. Stir.\n3. Cook.\n\n## {SOUP[1]}\n\n{U}\n", 0),
        (f"# Weekly\n\nHi.\n\n## {SOUP[0]}\n\n> 1. Fry.\n> 2. Stir.\n\n{T}\n\n## {SOUP[1]}\n\n{U}\n", 0),
        (
            f"<h1>Weekly</h1><p>Hi.</p><p><b>{SOUP[0]}</b></p><p>{T}</p><ol><li>Fry<li>Stir<li>Cook</ol><p><b>{SOUP[1]}</b></p><p>{U}</p>",
            0,
        ),
        (f"Weekly\n\nHi.\n\n{SOUP[0]}\n\n{T}\n\n1. Fry\n2. Stir\n3. Cook\n\n{SOUP[1]}\n\n{U}\n", 4),
        (f"Weekly\n\n1. {SOUP[0]}\n2. {SOUP[1]}\n\n1. {SOUP[0]}\n\n{T}\n\n2. {SOUP[1]}\n\n{U}\n", 1),
        (f"Weekly\n\n1. {SOUP[0]}\n\n{T}\n\n1) Fry\n2) Stir\n3) Cook\n\n2. {SOUP[1]}\n\n{U}\n", 1),
        (f"Weekly\n\n1. {SOUP[0]}\n\n{T}\n\n1) Fry\n2) Stir\n\n2. {SOUP[1]}\n\n{U}\n", 1),
    ],
)
def test_a_list_that_counts_as_far_as_the_headlines_is_a_list(raw: str, reported: int) -> None:
    found = parse(raw)

    assert (headlines(found), len(found.report.doubts)) == (SOUP, reported)


def test_sections_that_are_counted_stand_above_stories_that_are() -> None:
    found = parse(f"周刊\n\n大家好。\n\n一、国内\n\n1. 腾讯发布新模型\n\n{T}\n\n二、国际\n\n2. 阿里云降价\n\n{U}\n")

    assert headlines(found) == ["腾讯发布新模型", "阿里云降价"]
    assert [(one.heading, one.before) for one in found.sections] == [("一、国内", 1), ("二、国际", 2)]


@pytest.mark.parametrize(
    ("upper", "lower", "chosen"),
    [
        (["Politics", "Culture"], ["Quay road closes", "Opera opens"], ["Quay road closes", "Opera opens"]),
        (
            ["Quay road closes", "Opera house opens"],
            ["Nine to four, after a debate", "Tickets sold out"],
            ["Quay road closes", "Opera house opens"],
        ),
    ],
)
def test_headings_in_pairs_are_reported(upper: list[str], lower: list[str], chosen: list[str]) -> None:
    pairs = "".join(f"## {a}\n\n### {b}\n\n{T}\n\n" for a, b in zip(upper, lower, strict=True))
    found = parse(f"# Weekly\n\nHi.\n\n{pairs}")

    assert (headlines(found), doubts(found)) == (chosen, [chosen[0]])
    confirmed = parse(f"# Weekly\n\nHi.\n\n{pairs}", decisions={found.report.doubts[0].line: "headline"})
    assert (headlines(confirmed), doubts(confirmed)) == (chosen, [])


@pytest.mark.parametrize("parts", [("### Why it matters", "### What is next"), ("### {}: why", "### {}: what is next")])
def test_subheadings_may_be_more_than_headlines(parts: tuple[str, str]) -> None:
    first, second = parts
    stories = "".join(f"## {h}\n\n{T}\n\n{first.format(h)}\n\n{U}\n\n{second.format(h)}\n\n{V}\n\n" for h in SOUP)
    found = parse(f"# Weekly\n\nHi.\n\n{stories}")

    assert (headlines(found), doubts(found)) == (SOUP, SOUP[:1])


@pytest.mark.parametrize(("first", "second"), [("Politics", "Culture"), ("Before the week", "After the week is over")])
def test_headings_above_the_stories_that_have_text_are_reported(first: str, second: str) -> None:
    stories = f"### {SOUP[0]}\n\n{T}\n\n### {SOUP[1]}\n\n{U}\n\n### Opera\n\n{V}"
    found = parse(f"# Weekly\n\nHi.\n\n## {first}\n\nIt was calm.\n\n{stories}\n\n## {second}\n\nIt rained.\n")

    assert (headlines(found), doubts(found)) == ([*SOUP, "Opera"], [SOUP[0]])


@pytest.mark.parametrize("steps", [2, 3])
def test_steps_with_text_in_one_story_are_no_headlines(steps: int) -> None:
    recipe = "\n\n".join(f"{n}. Do this.\n\nNot too fast." for n in range(1, steps + 1))
    found = parse(f"# Weekly\n\nHi.\n\n## {SOUP[0]}\n\n{T}\n\n{recipe}\n\n## {SOUP[1]}\n\n{U}\n")

    assert (headlines(found), doubts(found)) == (SOUP, [f"{n}. Do this." for n in range(1, steps + 1)])


def test_sections_with_fewer_headings_than_their_stories_stay_sections() -> None:
    stories = f"### {SOUP[0]}\n\n{T}\n\n### {SOUP[1]}\n\n{U}\n\n## Culture\n\n### Opera\n\n{V}\n"
    found = parse(f"# Weekly\n\nHi.\n\n## Food\n\n{stories}")

    assert ([*headlines(found)], [one.heading for one in found.sections]) == ([*SOUP, "Opera"], ["Food", "Culture"])
    assert found.report.doubts == ()


@pytest.mark.parametrize("label", ["**{}**", "### {}"])
def test_numbers_above_more_subheadings_are_the_headlines(label: str) -> None:
    subheadings = f"{label.format('Why it matters')}\n\n{U}\n\n{label.format('What next')}\n\n{V}"
    stories = "\n\n".join(f"{n}. {headline}\n\n{T}\n\n{subheadings}" for n, headline in enumerate(SOUP, start=1))
    assert headlines(parse(f"Weekly\n\nHi.\n\n{stories}\n")) == SOUP


def test_a_subtitle_above_the_date_is_no_story() -> None:
    date = "<p>By Ada Lovelace</p><p>Nov 29, 2026</p>"
    stories = f"<h3>Quay</h3><p>{T}</p><h3>Trams</h3><p>{U}</p>"
    found = parse(f"<h1>Weekly</h1><h3>News from the quay</h3>{date}<p>Hi.</p>{stories}")

    assert headlines(found) == ["Quay", "Trams"]
    assert found.introduction == ("News from the quay", "Hi.")


def test_a_heading_without_a_number_among_numbered_ones_is_reported() -> None:
    found = parse(f"# Weekly\n\n## 1. Quay\n\n{T}\n\n## 2. Trams\n\n{U}\n\n## Our sponsor\n\n{V}\n")

    assert (headlines(found), doubts(found)) == (["Quay", "Trams"], ["Our sponsor"])


def test_numbers_that_win_over_headings_report_those() -> None:
    lessons = f"1. Lesson one\n\n{T}\n\n2. Lesson two\n\n{U}\n\n3. Lesson three\n\n{V}"
    found = parse(f"# Weekly\n\n## Three lessons\n\n{lessons}\n\n## Cake\n\n{U}\n")

    assert (len(found.stories), doubts(found)) == (3, ["Cake"])


def test_a_sentence_in_bold_among_bold_headlines_is_reported() -> None:
    found = parse(f"Weekly\n\n**Quay closes**\n\n{T}\n\n**Nobody was asked.**\n\n{U}\n\n**Trams run**\n\n{V}\n")

    assert (len(found.stories), doubts(found)) == (3, ["Nobody was asked."])


@pytest.mark.parametrize(
    "lines",
    [
        ["Will the quay close?", "Do trams run at night?"],
        ["“We close the quay”", "“Trams at night”"],
        ["iPhone sales fall", "eBay buys a rival"],
        ["12 boats sink", "14 towns vote on Sunday"],
    ],
)
def test_lines_that_are_headlines_only_without_their_marks(lines: list[str]) -> None:
    found = parse("\n\n".join(["Weekly", "Hi.", lines[0], T, lines[1], U]) + "\n")
    mixed = parse("\n\n".join(["Weekly", "Hi.", "Quay closes", T, U, lines[0], V, "Market opens", T]) + "\n")

    assert (headlines(found), len(found.report.doubts)) == (lines, 1)
    assert (headlines(mixed), doubts(mixed)) == (["Quay closes", "Market opens"], ["Quay closes", lines[0]])


@pytest.mark.parametrize("lines", [["Day 1 of the strike", "Day 2 of the strike"], ["Day 1: Strike", "Day 2: Trams"]])
@pytest.mark.parametrize("mark", ["## ", ""])
def test_a_word_that_is_the_headlines_own_stays_in_it(lines: list[str], mark: str) -> None:
    found = parse(f"# Weekly\n\nHi.\n\n{mark}{lines[0]}\n\n{T}\n\n{mark}{lines[1]}\n\n{U}\n")
    assert headlines(found) == lines


def test_what_the_headlines_count_stays_in_them() -> None:
    found = parse(f"# Weekly\n\nHi.\n\n## 1 boat sinks\n\n{T}\n\n## 2 towns vote\n\n{U}\n")
    assert headlines(found) == ["1 boat sinks", "2 towns vote"]


def test_one_heading_below_the_title_is_one_story() -> None:
    found = parse(f"# Weekly\n\nHi.\n\n## Quay closes\n\n{T}\n")

    assert (headlines(found), doubts(found)) == (["Quay closes"], ["Quay closes"])
    with pytest.raises(DigestError, match="no stories found"):
        parse(f"Weekly\n\nHi.\n\n{T}\n")


def test_the_thousandth_story_is_reported() -> None:
    found = parse("\n".join(["Weekly", *(f"{n}. Boat {n} sinks\nIt was old and sank." for n in range(1, 1002))]))

    assert (len(found.stories), doubts(found)) == (999, ["1000. Boat 1000 sinks", "1001. Boat 1001 sinks"])


@pytest.mark.parametrize(
    ("first", "second"),
    [("[POLITICS]", "[CULTURE]"), ("*** POLITICS ***", "*** CULTURE ***"), ("【国内】", "【国际】")],
)
def test_sections_in_brackets_and_stars(first: str, second: str) -> None:
    found = parse(f"Weekly\n\nHi.\n\n{first}\n\n1. Quay\n\n{T}\n\n{second}\n\n2. Opera\n\n{U}\n")

    assert [(one.heading, one.before) for one in found.sections] == [
        (first.strip("[]* 【】"), 1),
        (second.strip("[]* 【】"), 2),
    ]
    assert found.stories[0].body_html == ""


@pytest.mark.parametrize("credit", ["[Photo: {}]", "Photo: {}"])
def test_who_made_the_pictures_is_no_section(credit: str) -> None:
    first, second = credit.format("Jane Doe"), credit.format("Bo Li")
    found = parse(f"Weekly\n\n1. Quay\n\n{T}\n\n{first}\n\n2. Opera\n\n{U}\n\n{second}\n\n3. Trams\n\n{V}\n")

    assert (found.sections, first in found.stories[0].body_html) == ((), True)


def test_names_at_the_end_of_stories_are_reported() -> None:
    text = f"Weekly\n\n1. Quay\n\n{T}\n\nJane Doe\n\n2. Opera\n\n{U}\n\nBo Li\n\n3. Trams\n\n{V}\n"
    assert doubts(parse(text)) == ["Jane Doe", "Bo Li"]

    settled = parse(text, decisions={7: "text", 13: "text"})
    assert (settled.sections, settled.stories[0].paragraphs, doubts(settled)) == ((), ("Jane Doe",), [])
