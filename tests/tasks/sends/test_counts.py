"""What is told of a send is of one state."""

import pytest

from tasks.models import Send
from tasks.sends.counts import as_json
from tests.factories import make_prepared_send

pytestmark = pytest.mark.django_db


def test_a_send_that_pauses_between_two_looks_says_why() -> None:
    read_before = make_prepared_send(2)
    Send.objects.filter(pk=read_before.pk).update(status="paused", pause_reason="No credits are left.")

    told = as_json(read_before)

    assert (told["status"], told["reason"]) == ("paused", "No credits are left.")
