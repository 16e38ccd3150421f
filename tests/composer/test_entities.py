"""Numbers of characters that Python itself would not read."""

from html import unescape as standard

import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer.entities import unescape

LONG = "9" * 5000


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (f"a &#{LONG}; b", "a \ufffd b"),
        (f"&#{LONG}", "\ufffd"),
        ("&#" + "0" * 5000 + "65;!", "A!"),
        ("&#" + "0" * 5000 + ";", "\ufffd"),
        ("&#x41; &amp; &#65;", "A & A"),
    ],
)
def test_any_number_is_a_character_or_none(written: str, text: str) -> None:
    assert unescape(written) == text


@given(
    st.lists(st.sampled_from(["&", "#", "x", "0", "1", "65", "9999999999", ";", "amp", "lt", "A", " "])).map("".join)
)
def test_what_the_standard_library_reads_is_read_alike(text: str) -> None:
    assert unescape(text) == standard(text)
