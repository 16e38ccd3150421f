import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers import reader_links
from subscribers.tokens import Link, LinkKind, TokenSigner

SIGNER = TokenSigner("k" * 40)
OURS, ANOTHER = "6f1c0d5e-5f0b-4a3e-9d57-0e4f6c1f7b3a", "0b8c9d0a-5d5c-4a3e-8f4d-1d2c3b4a5f60"
ids = st.integers(0, 2**32 - 1)


@given(kind=st.sampled_from(LinkKind), publication=ids, send=ids, subscriber=st.integers(0, 2**64 - 1))
def test_a_token_reads_as_what_was_signed(kind: LinkKind, publication: int, send: int, subscriber: int) -> None:
    token = SIGNER.sign(kind, publication, send, subscriber)

    assert SIGNER.read(token) == Link(kind=kind, publication_id=publication, send_id=send, subscriber_id=subscriber)
    assert set(token) <= set(string.ascii_letters + string.digits + "-_")


@given(st.integers(0, 43), st.sampled_from(string.ascii_letters + string.digits + "-_"))
def test_a_token_with_any_other_character_is_refused(position: int, character: str) -> None:
    token = SIGNER.sign(LinkKind.UNSUBSCRIBE, 1, 2, 3)
    other = token[:position] + character + token[position + 1 :]

    assert other == token or SIGNER.read(other) is None


@given(st.text())
def test_anything_else_is_refused_without_an_error(text: str) -> None:
    assert SIGNER.read(text) is None


@pytest.mark.parametrize("change", ["{}=", "{}\n", " {}", "{}A", "+{}"])
def test_a_token_has_one_spelling(change: str) -> None:
    assert SIGNER.read(change.format(SIGNER.sign(LinkKind.UNSUBSCRIBE, 1, 2, 3))) is None


@pytest.mark.parametrize(
    ("kind", "token"),
    [
        ("UNSUBSCRIBE", "zTF__9JUjrc8gExA21Fbt0SExRmrQDr8WZXM9FqjGyjy"),
        ("PREFERENCES", "13jrR5eFZmcgdCYG2bJL88B_ZO0gPxuNdcG-i9h5xy_0"),
        ("CONFIRM", "eAqdIkRbIExlxTwjncnSAtfuAwP1-iYwPcQxBfTb2p0f"),
    ],
)
def test_links_in_mails_already_sent_stay_what_they_are(kind: str, token: str) -> None:
    link = Link(kind=LinkKind[kind], publication_id=7, send_id=2**32 - 1, subscriber_id=2**40)

    assert SIGNER.read(token) == link
    assert SIGNER.sign(LinkKind[kind], 7, 2**32 - 1, 2**40) == token
    assert SIGNER.sign_many(LinkKind[kind], 7, 2**32 - 1, [2**40]) == [token]


def test_a_rotation_breaks_no_link() -> None:
    old = TokenSigner("old" * 20).sign(LinkKind.UNSUBSCRIBE, 1, 2, 3)
    rotated = TokenSigner("new" * 20, ["other" * 10, "old" * 20])

    assert rotated.read(old) == Link(kind=LinkKind.UNSUBSCRIBE, publication_id=1, send_id=2, subscriber_id=3)
    assert TokenSigner("new" * 20).read(old) is None


@given(kind=st.sampled_from(LinkKind), publication=ids, send=ids, subscriber=st.integers(0, 2**64 - 1))
def test_another_installation_with_the_same_key_reads_no_token(
    kind: LinkKind, publication: int, send: int, subscriber: int
) -> None:
    ours, another = (TokenSigner("k" * 40, installation=one) for one in (OURS, ANOTHER))
    token = ours.sign(kind, publication, send, subscriber)

    assert ours.read(token) == Link(kind=kind, publication_id=publication, send_id=send, subscriber_id=subscriber)
    assert another.read(token) is None
    assert SIGNER.read(token) is None
    assert ours.sign_many(kind, publication, send, [subscriber]) == [token]
    assert another.sign_many(kind, publication, send, [subscriber]) != [token]


def test_links_of_before_they_were_bound_to_an_installation_keep_working_after_a_rotation_too() -> None:
    token = SIGNER.sign(LinkKind.UNSUBSCRIBE, 1, 2, 3)
    link = Link(kind=LinkKind.UNSUBSCRIBE, publication_id=1, send_id=2, subscriber_id=3)

    assert TokenSigner("k" * 40, installation=OURS).read(token) == link
    assert TokenSigner("new" * 20, ["k" * 40], installation=OURS).read(token) == link


def test_a_rotation_breaks_no_link_that_is_bound_to_an_installation() -> None:
    token = TokenSigner("old" * 20, installation=OURS).sign(LinkKind.UNSUBSCRIBE, 1, 2, 3)

    assert TokenSigner("new" * 20, ["old" * 20], installation=OURS).read(token) is not None
    assert TokenSigner("new" * 20, ["old" * 20], installation=ANOTHER).read(token) is None


def test_links_that_are_bound_to_an_installation_stay_what_they_are() -> None:
    signer = TokenSigner("a key that never changes in this test", installation=OURS)
    token = signer.sign(LinkKind.UNSUBSCRIBE, 1, 118, 4242)

    assert token == "z13robmDwaMAi6p7zNqGU2ThtSScdkMsc9ITOuHRSLJT"


def test_neighbours_look_nothing_alike() -> None:
    one, two = (SIGNER.sign(LinkKind.UNSUBSCRIBE, 1, 2, number) for number in (3, 4))

    assert sum(a == b for a, b in zip(one, two, strict=True)) < 10


def test_a_batch_has_the_same_tokens_as_its_members() -> None:
    expected = [SIGNER.sign(LinkKind.PREFERENCES, 1, 2, number) for number in (5, 6, 7)]

    assert SIGNER.sign_many(LinkKind.PREFERENCES, 1, 2, [5, 6, 7]) == expected


def test_links_in_mails_already_sent_keep_working() -> None:
    token = "3Ps29hzdEiHAhw6yElme_1r1o7ZYkvInilmGZbwbowZD"

    assert TokenSigner("a key that never changes in this test").read(token) == Link(
        kind=LinkKind.UNSUBSCRIBE, publication_id=1, send_id=118, subscriber_id=4242
    )


def test_after_a_rotation_the_tokens_of_a_batch_are_signed_with_the_new_key() -> None:
    rotated = TokenSigner("new" * 20, ["old" * 20])

    (token,) = rotated.sign_many(LinkKind.UNSUBSCRIBE, 1, 2, [3])

    assert (
        token
        == TokenSigner("new" * 20).sign(LinkKind.UNSUBSCRIBE, 1, 2, 3)
        == rotated.sign(LinkKind.UNSUBSCRIBE, 1, 2, 3)
    )


def test_a_token_of_a_kind_that_nobody_knows_is_refused() -> None:
    """As one that a later version has made."""
    assert SIGNER.read(SIGNER.sign(99, 1, 2, 3)) is None  # type: ignore[arg-type]


def test_the_links_of_a_batch_stand_in_the_order_of_its_readers(settings: Any) -> None:
    settings.BASE_URL = "https://news.example.com"

    links = reader_links.links_of_batch([5, 4], publication_id=1, send_id=2, installation=OURS)

    for reader, (leave, prefer) in zip([5, 4], links, strict=True):
        token = reader_links.signer(OURS).sign(LinkKind.UNSUBSCRIBE, 1, 2, reader)
        assert (leave, prefer) == (f"https://news.example.com/u/{token}", f"https://news.example.com/p/{token}")
