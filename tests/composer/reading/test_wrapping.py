"""Which lines go on with the line above them."""

import pytest

from composer.reading.wrapping import continues, ends_a_sentence, wrapped_at

#: 30 characters.
LINE = "The council voted nine to four"


@pytest.mark.parametrize(
    ("lines", "columns"),
    [
        ([], 0),
        ([LINE], 0),
        ([LINE, "to close the road."], 30),
        (["to close", LINE, "the road."], 30),
        # A paragraph each: nothing goes on in small letters, or only behind an end, a short line, an item.
        ([LINE, "To close the road."], 0),
        ([f"{LINE}.", "to close the road."], 0),
        (["The council voted nine t", "to close the road."], 0),
        (["The council voted nine to", "to close the road."], 25),
        (["1. The council voted nine to", "to close the road."], 0),
        (["• The council voted nine to", "to close the road."], 0),
        (["Story 1 the council voted", "to close the road."], 0),
        ([LINE, "", "to close the road."], 0),
        # The widest that counts as wrapped.
        ([LINE, "to close it " + 108 * "x"], 120),
        ([LINE, "to close it " + 109 * "x"], 0),
    ],
)
def test_the_columns_at_which_a_text_was_wrapped(lines: list[str], columns: int) -> None:
    assert wrapped_at(lines) == columns


@pytest.mark.parametrize(
    ("previous", "line", "expected"),
    [
        (LINE, "to close the road.", True),
        (LINE, "To close the road.", False),
        (f"{LINE}.", "to close the road.", False),
        ("The council voted nine t", "to close the road.", False),
        ("The council voted nine to", "to close the road.", True),
        ("1. The council voted nine", "to close the road.", False),
    ],
)
def test_where_nothing_was_wrapped_small_letters_on_both_sides_go_on(previous: str, line: str, expected: bool) -> None:
    assert continues(previous, line, 0) is expected


@pytest.mark.parametrize(
    ("line", "width", "expected"),
    [
        # With the word "close" the line above would have 36 characters: three quarters of 48.
        ("close the road.", 48, True),
        ("close the road.", 49, False),
        ("close", 48, True),
        ("close", 49, False),
        ("Close the road, and so on and so on.", 49, False),
    ],
)
def test_a_line_goes_on_where_its_first_word_had_no_room_above(line: str, width: int, expected: bool) -> None:
    assert continues(LINE, line, width) is expected


@pytest.mark.parametrize(("width", "expected"), [(35, True), (36, False)])
def test_of_a_headline_it_must_be_certain(width: int, expected: bool) -> None:
    assert continues("1. Council votes nine to four,", "close", width) is expected


@pytest.mark.parametrize(
    ("previous", "expected"),
    [(LINE, True), (f"{LINE}.", False), ("1. The council voted nine to", False)],
)
def test_a_number_begins_a_line_only_behind_an_end_or_another_number(previous: str, expected: bool) -> None:
    # “…on the 2. March”, wrapped before the date.
    assert continues(previous, "2. March", 32) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It ends.", True),
        ("It ends.”)", True),
        ("为什么？", True),
        ("It goes on", False),
        ("It ends. It goes on", False),
    ],
)
def test_what_ends_a_sentence(text: str, expected: bool) -> None:
    assert ends_a_sentence(text) is expected
