"""Pieces of quoted-printable that can be joined."""

import quopri

from hypothesis import given
from hypothesis import strategies as st

from tasks.mime import quoted_printable

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=300)
PIECES = st.one_of(TEXTS, st.sampled_from([".", "..", "From me", "a" * 72, "=" * 80, " ", "\n", "\n.\n", "x\t\n", ""]))


def decoded(raw: bytes) -> str:
    return quopri.decodestring(raw).replace(b"\r\n", b"\n").decode()


@given(before=PIECES, value=PIECES, between=PIECES, after=PIECES)
def test_joined_pieces_read_as_the_text_and_every_line_fits(before: str, value: str, between: str, after: str) -> None:
    raw = b"".join(
        [
            quoted_printable.literal(before, joined=True),
            quoted_printable.value(value),
            quoted_printable.literal(between, joined=True),
            quoted_printable.value(value),
            quoted_printable.literal(after, joined=False),
        ]
    )
    clean = quoted_printable.CONTROLS.sub(" ", value)
    assert decoded(raw) == before + clean + between + clean + after
    lines = raw.split(b"\r\n")
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert all(len(line) <= 76 for line in lines)
    assert not any(line.startswith((b".", b"From ")) or line.endswith((b" ", b"\t")) for line in lines)


@given(TEXTS)
def test_a_value_is_one_line_whatever_it_holds(text: str) -> None:
    assert "\n" not in decoded(quoted_printable.value(text))
    assert quoted_printable.value(text) == b"" or quoted_printable.value(text).endswith(b"=\r\n")
