"""When so many readers are named in a refusal that the fault cannot be theirs."""

import pytest

from tasks.submission.retries import is_systematic, members_at


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
