"""Ids of envelopes: nobody makes one without the key, and none is taken for another's."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.mime.envelope_ids import EnvelopeId, EnvelopeIds, address_digest
from tasks.providers.smtp.envelopes import xtext

OURS = "5e3c0f5e-0000-4000-8000-000000000001"
IDS = EnvelopeIds("k" * 40)
ONE = EnvelopeId(7, 12, UUID(int=3), address_digest("ann@example.com"))


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1), st.uuids(), st.binary(min_size=10, max_size=10))
def test_what_was_sealed_is_opened(send: int, subscriber: int, attempt: UUID, address: bytes) -> None:
    envelope = EnvelopeId(send, subscriber, attempt, address)

    assert IDS.open(IDS.seal(envelope, installation=OURS), installation=OURS) == envelope


def test_it_stands_in_an_envelope_as_it_is() -> None:
    sealed = IDS.seal(ONE, installation=OURS)

    assert len(sealed) == 72, "RFC 3461 §4.4 allows 100"
    assert xtext(sealed) == sealed
    assert sealed == IDS.seal(ONE, installation=OURS)


def test_another_key_installation_or_letter_opens_nothing() -> None:
    sealed = IDS.seal(ONE, installation=OURS)

    assert IDS.open(sealed, installation=OURS.replace("1", "2")) is None
    assert EnvelopeIds("x" * 40).open(sealed, installation=OURS) is None
    for at in (0, 30, 71):
        changed = "A" if sealed[at] != "A" else "B"
        assert IDS.open(sealed[:at] + changed + sealed[at + 1 :], installation=OURS) is None
    for wrong in ("", sealed[1:], f"{sealed}A", sealed.replace(sealed[5], "+"), "é" * 72):
        assert IDS.open(wrong, installation=OURS) is None


def test_what_an_earlier_key_sealed_is_opened() -> None:
    sealed = IDS.seal(ONE, installation=OURS)

    assert EnvelopeIds("new" * 20, ["older" * 9, "k" * 40]).open(sealed, installation=OURS) == ONE


@pytest.mark.parametrize("written", ["ann@bücher.example", "Ann@Bücher.example", " ann@XN--bcher-kva.example"])
def test_an_address_is_the_same_however_it_is_written(written: str) -> None:
    assert address_digest(written) == address_digest("ann@xn--bcher-kva.example")
    assert address_digest(written) != address_digest("ann@bucher.example")


@pytest.mark.parametrize(
    ("text", "written"), [("a+b=c@d", "a+2Bb+3Dc@d"), ("ann@example.com", "ann@example.com"), ("a b\x7f", "a+20b+7F")]
)
def test_xtext_writes_what_a_parameter_cannot_hold(text: str, written: str) -> None:
    assert xtext(text) == written
