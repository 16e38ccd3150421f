"""Events come in any order, cut into any receipts, any number of times: the end is the same."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.feedback.applying import apply_waiting
from tests.reports import World, deliver, make_world, state, store

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

REPORTS: tuple[dict[str, Any], ...] = (
    {"event": "processed"},
    {"event": "delivered"},
    {"event": "deferred"},
    {"event": "open"},
    {"event": "open", "sg_machine_open": True},
    {"event": "click", "url": "https://example.com/1"},
    {"event": "bounce", "type": "bounce"},
    {"event": "bounce", "type": "blocked"},
    {"event": "dropped", "reason": "Bounced Address"},
    {"event": "dropped", "reason": "Spam Content"},
    {"event": "spamreport"},
    {"event": "unsubscribe"},
    {"event": "group_resubscribe"},
    {"event": "brand_new"},
)
READERS = 3


def outcome(act: Callable[[], None]) -> dict[str, list[tuple[Any, ...]]]:
    """The state after `act`, which is then taken back."""
    with transaction.atomic():
        act()
        reached = state()
        transaction.set_rollback(True)
    return reached


@st.composite
def told(draw: st.DrawFn) -> tuple[list[tuple[int, int, bool]], list[list[tuple[int, int, bool]]]]:
    """Some reports (reader, which, late), and the same reports again, shuffled, repeated and cut into receipts."""
    report = st.tuples(st.integers(0, READERS - 1), st.integers(0, len(REPORTS) - 1), st.booleans())
    once = draw(st.lists(report, min_size=1, max_size=10, unique=True))
    again = draw(st.permutations(once + draw(st.lists(st.sampled_from(once), max_size=5))))
    cuts = sorted(draw(st.lists(st.integers(0, len(again)), max_size=4)))
    return once, [again[start:end] for start, end in zip([0, *cuts], [*cuts, len(again)], strict=True)]


@pytest.fixture
def world() -> World:
    return make_world(READERS)


@settings(max_examples=60)
@given(told(), st.booleans())
def test_any_order_any_cut_any_repetition_ends_the_same(
    world: World, told: tuple[list[tuple[int, int, bool]], list[list[tuple[int, int, bool]]]], together: bool
) -> None:
    once, receipts = told
    written = {
        (reader, which, late): (world.late if late else world.report)(reader, **REPORTS[which])
        for reader, which, late in once
    }

    def apply(parts: list[list[tuple[int, int, bool]]]) -> None:
        for part in parts:
            (store if together else deliver)(*(written[report] for report in part))
        assert together == apply_waiting()

    assert outcome(lambda: apply(receipts)) == outcome(lambda: apply([once]))
