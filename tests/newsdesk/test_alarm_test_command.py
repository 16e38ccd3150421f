"""`newsdesk alarms --test` tries where alarms are posted."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from newsdesk.core.errors import InputError, OperationFailedError
from tasks.models import AlarmPost, AlarmWay
from tests.tasks.alarms.receiver import Receiver

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


def run() -> dict[str, Any]:
    out = StringIO()
    call_command("alarms", "--test", "--json", stdout=out)
    report: dict[str, Any] = json.loads(out.getvalue())
    return report


def test_a_test_is_posted_at_once_and_leaves_nothing_behind(settings: Any) -> None:
    with Receiver() as chat:
        settings.ALARM_URL = chat.url
        assert run() == {"posted": True}
        chat.statuses = [404]
        with pytest.raises(OperationFailedError, match="it answered 404") as problem:
            run()

    assert "hush" not in str(problem.value)
    assert [body["event"] for body in chat.bodies] == ["test", "test"]
    assert chat.bodies[0]["text"].startswith("Newsdesk: this is a test")
    assert not AlarmPost.objects.exists()
    assert not AlarmWay.objects.exists()


def test_without_an_address_it_says_so() -> None:
    with pytest.raises(InputError, match="NEWSDESK_ALARM_URL is not set"):
        run()
