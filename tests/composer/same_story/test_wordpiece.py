"""The model reads what its makers' own code reads."""

import struct

import pytest

from composer.same_story import embedding
from composer.same_story.wordpiece import pieces

NUMBERS = {
    piece: at
    for at, piece in enumerate(
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "night", "tram", "##s", "cafe", "!", "字", "$", "##4"]
    )
}


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Night trams!", ["night", "tram", "##s", "!"]),
        ("CAFÉ\u200b cafe\u0301s", ["cafe", "cafe", "##s"]),
        ("字字", ["字", "字"]),
        ("$tram4", ["$", "tram", "##4"]),
        ("zebra night", ["[UNK]", "night"]),
        ("x" * 500, ["[UNK]"]),
        ("", []),
    ],
)
def test_text_is_cut_into_pieces(text: str, read: list[str]) -> None:
    assert pieces(text, NUMBERS, most=20) == [2, *(NUMBERS[piece] for piece in read), 3]


def test_a_long_text_ends_at_the_limit() -> None:
    assert len(pieces("night " * 1000, NUMBERS, most=10)) == 10


@pytest.mark.skipif(not embedding.is_available(), reason="the extra newsdesk[radar] is not installed")
def test_the_arithmetic_is_the_models() -> None:
    """A layer, a weight or a piece that is read wrongly gives other numbers than the reference implementation's."""
    (vector,) = embedding.embed(["This is an example sentence"])

    assert struct.unpack("<4e", vector[:8]) == pytest.approx((0.0677, 0.0635, 0.0487, 0.0793), abs=0.002)
