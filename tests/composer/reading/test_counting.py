"""Numbers that do not count on as the headlines do: taken, reported or refused, and in which words."""

import pytest

from composer.digest import Digest, DigestError, parse

T = "The council voted nine to four on Tuesday night to close the road, after a long debate about buses and bins."


def digest(*lines: str) -> Digest:
    return parse("\n\n".join(["Weekly", "Hi.", *lines]) + "\n")


def doubts(found: Digest) -> list[str]:
    return [doubt.text for doubt in found.report.doubts]


def headlines(found: Digest) -> list[str]:
    return [story.headline for story in found.stories]


def test_a_line_numbered_in_another_form_is_reported_as_text() -> None:
    found = digest("1. Quay road closes", T, "7) Bins", T, "2. Trams run", T)

    assert (headlines(found), doubts(found)) == (["Quay road closes", "Trams run"], ["7) Bins"])
    assert "begins with “7)” but was read as text" in found.report.doubts[0].message


@pytest.mark.parametrize(("number", "reported"), [(7, []), (2, ["2) Bins"])])
def test_an_item_numbered_in_another_form_is_reported_where_the_count_has_reached_it(
    number: int, reported: list[str]
) -> None:
    found = digest("1. Quay road closes", T, f"- {number}) Bins", T, "2. Trams run", T)

    assert headlines(found) == ["Quay road closes", "Trams run"]
    assert doubts(found) == reported


def test_the_number_that_is_missing_may_come_in_another_form() -> None:
    found = digest("1. Quay road closes", T, "2) Bins", T, "3. Trams run", T)

    assert headlines(found) == ["Quay road closes", "Bins", "Trams run"]
    assert "begins with “2)” and others like “1.”" in found.report.doubts[0].message


@pytest.mark.parametrize(
    "line", ["2) " + "Bins and more " * 10, "2) Bins are what the council talked about at length."]
)
def test_but_not_when_it_reads_like_text(line: str) -> None:
    with pytest.raises(DigestError, match="story 2 is missing: after 1 comes 3"):
        digest("1. Quay road closes", T, line, T, "3. Trams run", T)


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["1. Quay", T, "3. Trams", T], "line 9: story 2 is missing: after 1 comes 3"),
        (["1. Quay", T, "Bins are late", T, "3. Trams", T], "; line 9 “Bins are late” may be its headline; number"),
        (["1. Quay", T, "2. Bins", T, "1. Trams", T], "number 1 again (first on line 5): number this headline 3"),
        (["2. Quay", T, "3. Bins", T], "story 1 is missing: the first story is numbered 2"),
        (["1. Quay", T, "2. Bins", T, "0. Trams", T], "there is no story number 0: number this headline 3"),
        (["7) Bins", "1. Quay", "2. Trams", T], "line 7: story 1 has no text"),
        # The first story's may be a sentence, and numbers in two forms are no list.
        (["1. The council voted to close the road for good.", T, "1. Quay", T], "number 1 again (first on line 5)"),
        (["1. Quay", T, "1. Fry", "2) Stir", T, "2. Trams", T], "line 9: number 1 again (first on line 5)"),
        (["1. Quay", T, "2.", T, "3. Trams", T], "number 2 has no headline; write it on the same line"),
        (["1. Quay", T, f"2. {'x' * 301}", T], "the headline of story 2 has 304 characters"),
    ],
)
def test_what_breaks_the_count_is_refused_with_what_to_do(lines: list[str], says: str) -> None:
    with pytest.raises(DigestError) as caught:
        digest(*lines)

    assert says in str(caught.value)


def test_a_headline_of_three_hundred_characters_is_one() -> None:
    assert len(digest("1. Quay", T, f"2. {'x' * 297}", T).stories) == 2


def test_a_sentence_with_a_number_is_text_where_a_headline_with_it_follows() -> None:
    sentence = "2. The council will talk about buses and bins again."
    found = digest("1. Quay", T, sentence, "2. Trams", T)

    assert (headlines(found), doubts(found)) == (["Quay", "Trams"], [sentence])


@pytest.mark.parametrize(("words", "refused"), [(7, False), (8, True)])
def test_a_sentence_where_a_headline_is_missing_is_refused(words: int, refused: bool) -> None:
    line = "2. " + " ".join(["word"] * (words - 1)) + "."
    if not refused:
        assert len(digest("1. Quay", T, line, T).stories) == 2
        return
    with pytest.raises(DigestError, match="may be a headline or a sentence: take the full stop away"):
        digest("1. Quay", T, line, T)


def test_sentences_are_headlines_where_the_first_is_one() -> None:
    found = digest(
        "1. The council voted to close the road for good.", T, "2. The trams will run at night from May on.", T
    )

    assert len(found.stories) == 2


def test_a_headline_that_begins_with_a_month_may_be_a_date() -> None:
    found = digest("1. Quay", T, "2. March of the tram drivers", T)

    assert "was read as the headline of story 2, but may be a date" in found.report.doubts[0].message
    assert digest("1. March of the tram drivers", T, "2. Quay", T).report.doubts == ()
    assert digest("1) Quay", T, "2) March of the tram drivers", T).report.doubts == ()
