"""When so many readers are named in a refusal that the fault cannot be theirs."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tasks.models import Send
from tasks.submission.giving_up import has_waited_for_days
from tasks.submission.retries import are_too_many, is_systematic, members_at, why_named_in_vain
from tests.factories import make_prepared_send
from tests.tasks.submission.batches import readers_of


@pytest.mark.parametrize(
    ("words", "of", "failed_before", "expected"),
    [
        # Two may be wrong by chance, whatever the request's size.
        (["a", "b"], 2, 0, False),
        (["a", "a"], 2, 0, False),
        (["a"], 2, 1, False),
        (["a"], 2, 2, True),
        # From the third on two in a hundred are the bound, with those of earlier rounds.
        (["a", "b", "c"], 150, 0, False),
        (["a", "b", "c"], 149, 0, True),
        (["a", "b"], 150, 1, False),
        (["a", "b"], 149, 1, True),
        # The same words for three.
        (["a", "a", "b", "b", "c"], 1000, 0, False),
        (["a", "a", "a", "b"], 1000, 0, True),
    ],
)
def test_whose_fault_a_refusal_is(words: list[str], of: int, failed_before: int, expected: bool) -> None:
    assert is_systematic(dict(enumerate(words)), of=of, failed_before=failed_before) is expected


def test_positions_of_a_request_are_readers_in_its_order() -> None:
    assert members_at((17, 4, 9), [2, 0]) == (17, 9)
    assert members_at((17, 4, 9), [3, 1]) == (4,)


@pytest.mark.parametrize(
    ("refused", "of", "expected"), [(2, 2, False), (3, 29, True), (3, 30, False), (11, 109, True), (11, 110, False)]
)
def test_a_server_is_believed_two_missing_mailboxes_and_a_tenth_of_a_request(
    refused: int, of: int, expected: bool
) -> None:
    assert are_too_many(refused, of=of) is expected


@pytest.mark.parametrize(("refused", "of", "expected"), [(10, 10, False), (11, 21, True), (11, 22, False)])
def test_of_those_who_were_put_off_before_it_is_believed_ten_and_half_of_a_request(
    refused: int, of: int, expected: bool
) -> None:
    assert are_too_many(refused, of=of, put_off_before=True) is expected


@pytest.mark.django_db
@pytest.mark.parametrize(("named", "shown", "more"), [(2, 2, False), (3, 3, False), (4, 3, True)])
def test_an_operator_sees_three_of_the_named_addresses_and_that_there_are_others(
    named: int, shown: int, more: bool
) -> None:
    readers = readers_of(make_prepared_send(5))[:named]

    why = why_named_in_vain("sendgrid:1", dict.fromkeys(readers, "bad address"), of=5, failed_before=3)

    assert why.count("@") == shown
    assert (" and others): bad address" in why) is more


@pytest.mark.django_db
@pytest.mark.parametrize(("seconds", "expected"), [(-60, False), (0, True)])
def test_readers_who_are_put_off_are_tried_for_four_days(seconds: int, expected: bool) -> None:
    send = make_prepared_send(1)
    Send.objects.update(prepared_at=timezone.now() - timedelta(days=4, seconds=seconds))

    assert has_waited_for_days(send.pk) is expected
