"""Whoever must not be mailed any more by the time a request is built is not in it, whatever the way."""

from collections.abc import Callable
from typing import Any

import pytest

from subscribers import preferences, suppression
from subscribers.models import List, Subscriber, Subscription
from tasks.models import Attempt, Exclusion
from tasks.preparation import preparing
from tests.factories import make_send, make_subscriber
from tests.tasks.submission.batches import readers_of, submit

pytestmark = pytest.mark.django_db

WAYS: dict[str, tuple[Callable[[Subscriber, List], Any], str]] = {
    "their domain, in capitals": (lambda _, __: suppression.suppress("@EXAMPLE.com", "manual"), "manual"),
    "their domain, for the publication": (
        lambda _, on: suppression.suppress("@example.com", "manual", publication_id=on.publication_id),
        "manual",
    ),
    "erased": (lambda reader, _: suppression.suppress(reader.email.upper(), "erased"), "erased"),
    "complained": (lambda reader, _: suppression.suppress(reader.email.upper(), "complaint"), "complaint"),
    "invalid": (lambda reader, _: suppression.suppress(reader.email, "invalid"), "invalid"),
    "left the list": (lambda reader, on: preferences.leave_list(reader.pk, on.pk, source="page"), "unsubscribed"),
    "left": (lambda reader, on: suppression.unsubscribe(reader.pk, on.publication_id, "one-click"), "unsubscribed"),
    "unconfirmed again": (lambda _, __: Subscription.objects.update(status="pending"), "unconfirmed"),
    "off the list by a mirror": (lambda _, __: Subscription.objects.all().delete(), "unsubscribed"),
    "gone": (lambda reader, _: Subscriber.objects.filter(pk=reader.pk).delete(), "erased"),
}


@pytest.mark.parametrize("way", list(WAYS))
def test_between_freezing_and_posting(way: str, transport: Any) -> None:
    leave, reason = WAYS[way]
    send = make_send(0)
    reader = make_subscriber(send.lists.get(), email="Ada+News@Example.com")
    assert preparing.prepare(send.pk) is not None
    assert readers_of(send) == [reader.pk]

    leave(reader, send.lists.get())
    submit(send, transport)

    assert Exclusion.objects.get(send_id=send.pk).reason == reason
    assert not Attempt.objects.exists()
