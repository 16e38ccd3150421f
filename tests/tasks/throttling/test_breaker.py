"""Three requests in a row without an answer stop a transport; then one batch a minute tells whether it is well again."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tasks.models import TransportState
from tasks.throttling import breaker

pytestmark = pytest.mark.django_db

NAME = "smtp:1"


def opened() -> None:
    for _ in range(3):
        breaker.count_unknown(NAME)


def probed(seconds: float) -> None:
    TransportState.objects.update(probed_at=timezone.now() - timedelta(seconds=seconds))


def test_the_third_in_a_row_opens_it_and_says_since_when() -> None:
    assert not breaker.is_open(NAME)
    assert [breaker.count_unknown(NAME), breaker.count_unknown(NAME)] == ["", ""]
    assert not breaker.is_open(NAME)

    since = breaker.count_unknown(NAME)

    at = TransportState.objects.get().opened_at
    assert at is not None
    assert since == f"{at:%H:%M}"
    assert breaker.is_open(NAME)
    assert not breaker.is_open("another")


def test_an_acceptance_between_them_begins_anew() -> None:
    for _ in range(2):
        breaker.count_unknown(NAME)
    breaker.close(NAME)
    for _ in range(2):
        breaker.count_unknown(NAME)

    assert not breaker.is_open(NAME)


def test_a_probe_may_leave_after_a_minute_and_one_alone() -> None:
    opened()
    assert not breaker.take_probe(NAME)
    probed(50)
    assert (breaker.probe_is_due(NAME), breaker.take_probe(NAME)) == (False, False)

    probed(60)

    assert breaker.probe_is_due(NAME)
    assert breaker.take_probe(NAME)
    assert not breaker.take_probe(NAME), "one batch takes it"


def test_while_it_is_closed_there_is_nothing_to_probe() -> None:
    opened()
    probed(60)
    breaker.close(NAME)

    assert (breaker.is_open(NAME), breaker.probe_is_due(NAME), breaker.take_probe(NAME)) == (False, False, False)
