"""Numbers at the beginning of lines: in every form, how far they count, and lines without what makes them stand out."""

import pytest

from composer.reading.document import ListItem, Paragraph
from composer.reading.numbers import (
    candidate_in,
    dominant,
    looks_like_a_heading,
    undecorated,
    value_of,
    with_numbers_joined,
    written,
)


def line(text: str) -> Paragraph:
    return Paragraph(line=1, text=text, html=text)


@pytest.mark.parametrize(
    ("text", "form", "number", "headline"),
    [
        ("1. Quay", "1.", 1, "Quay"),
        ("12) Quay", "1)", 12, "Quay"),
        ("#3 Quay", "#1", 3, "Quay"),
        ("Story 5: Quay", "Story 1:", 5, "Quay"),
        ("四、Quay", "1、", 4, "Quay"),
        ("(2) Quay", "(1)", 2, "Quay"),
        ("②Quay", "①", 2, "Quay"),
        ("2️⃣ Quay", "1️⃣", 2, "Quay"),
        ("1️⃣2️⃣ Quay", "1️⃣", 12, "Quay"),
        ("🔟 Quay", "1️⃣", 10, "Quay"),
    ],
)
def test_forms(text: str, form: str, number: int, headline: str) -> None:
    found = candidate_in(7, line(text))

    assert found is not None
    assert (found.index, found.form, found.number, found.headline) == (7, form, number, headline)


def test_a_line_of_five_thousand_characters_is_no_headline() -> None:
    assert candidate_in(0, line("1. " + "x" * 4996)) is not None
    assert candidate_in(0, line("1. " + "x" * 4997)) is None
    assert candidate_in(0, line("Quay")) is None


@pytest.mark.parametrize(
    ("digits", "value"),
    [
        ("7", 7),
        ("٣", 3),
        ("➓", 10),
        ("⑳", 20),
        ("十", 10),
        ("十二", 12),
        ("二十", 20),
        ("三十四", 34),
        ("百", 100),
        ("二百三十四", 234),
        ("九", 9),
    ],
)
def test_what_digits_are_worth(digits: str, value: int) -> None:
    assert value_of(digits) == value


@pytest.mark.parametrize(
    ("lines", "form", "reached"),
    [
        ([], "", 0),
        (["Quay"], "", 0),
        (["1. A", "2. B"], "1.", 2),
        (["1. A", "3. B"], "1.", 1),
        (["2. A", "3. B"], "1.", 0),
        (["1. A", "1) A", "2) B"], "1)", 2),
        # The earlier one of two.
        (["1) A", "1. A", "2. B", "2) B"], "1)", 2),
    ],
)
def test_the_form_that_counts_furthest(lines: list[str], form: str, reached: int) -> None:
    found = [candidate_in(index, line(text)) for index, text in enumerate(lines)]

    assert dominant([one for one in found if one is not None]) == (form, reached)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Quay Road", True),
        ("Quay Road closes 2", True),
        ("码头路", True),
        ("quay road", False),
        ("3 Quays", False),
        ("Quay Road closes.", False),
        ("", False),
        ("See https://example.com/a", False),
        ("Q" * 80, True),
        ("Q" * 81, False),
        (" ".join(["A"] * 12), True),
        (" ".join(["A"] * 13), False),
    ],
)
def test_what_looks_like_a_heading(text: str, expected: bool) -> None:
    assert looks_like_a_heading(text) is expected


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("=== Culture ===", "Culture"),
        ("— Culture —", "Culture"),
        ("*A*", "A"),
        ("--", "--"),
        ("【国际】", "国际"),
        ("[a] and [b]", "[a] and [b]"),
        ("[]", "[]"),
        ("📍 Quay Road:", "Quay Road"),
        ("→ Culture", "Culture"),
        ("Culture：", "Culture"),
        ("= Culture -", "= Culture -"),
        ("- Culture", "- Culture"),
        ("Culture", "Culture"),
    ],
)
def test_a_line_without_what_makes_it_stand_out(text: str, bare: str) -> None:
    assert undecorated(text) == bare


def test_a_number_on_a_line_of_its_own_belongs_to_the_headline_below() -> None:
    lines = [line(text) for text in ("Hi.", "1.", "Quay Road", "It closed.", "#2", "Trams", "3.", "so it goes on.")]

    joined = [block.text for block in with_numbers_joined(lines)]

    assert joined == ["Hi.", "1. Quay Road", "It closed.", "#2 Trams", "3.", "so it goes on."]


def test_an_items_number_is_in_front_of_it_again() -> None:
    item = ListItem(line=1, text="Quay", html="Quay", marker="2.", number=2)

    assert written(item) == "2. Quay"
    assert written(ListItem(line=1, text="Quay", html="Quay", marker="•")) == "Quay"
