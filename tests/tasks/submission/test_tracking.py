"""Whoever refuses before their request is made is not tracked by it."""

from typing import Any

import pytest

from sandbox.server import Sandbox
from subscribers import tracking
from subscribers.models import Subscriber
from tasks.models import Batch, Send
from tasks.providers.sendgrid.transport import SendGridTransport
from tasks.providers.smtp.transport import SmtpTransport
from tasks.sends.counts import counts
from tasks.submission import posting
from tests.factories import make_approval, make_list, make_prepared_send, make_subscriber
from tests.tasks.submission.batches import only_batch, submit

pytestmark = pytest.mark.django_db


def make_tracked_send(readers: int = 3, *, track_unknown: bool = False, said: str = "granted") -> Send:
    approval = make_approval(request={"tracking": True, "track_unknown": track_unknown})
    chosen = make_list(approval.edition.publication)
    for _ in range(readers):
        make_subscriber(chosen, tracking=said)
    return make_prepared_send(0, approval=approval, lists=[chosen])


def settings_of(sandbox: Sandbox, send: Send) -> list[dict[str, Any]]:
    """The tracking settings of every request that was made."""
    messages = sandbox.ledger.messages(category=f"send-{send.pk}")
    return [message.request.mail["tracking_settings"] for message in messages]


def is_on(one: dict[str, Any]) -> bool:
    assert one["click_tracking"]["enable"] == one["open_tracking"]["enable"]
    return bool(one["open_tracking"]["enable"])


def test_a_request_of_readers_who_agreed_is_tracked(sandbox: Sandbox, transport: SendGridTransport) -> None:
    send = make_tracked_send()

    batch = submit(send, transport)

    assert list(map(is_on, settings_of(sandbox, send))) == [True] * 3
    assert (batch.status, batch.tracked, counts(send).tracked) == ("submitted", True, 3)


@pytest.mark.parametrize("track_unknown", [False, True])
def test_one_who_refuses_between_freezing_and_submission_is_not_tracked(
    sandbox: Sandbox, transport: SendGridTransport, track_unknown: bool
) -> None:
    send = make_tracked_send(track_unknown=track_unknown, said="unknown" if track_unknown else "granted")
    tracking.answer(Subscriber.objects.first().pk, tracking.Tracking.DENIED, source="preferences page")  # type: ignore[union-attr]

    batch = submit(send, transport)

    assert list(map(is_on, settings_of(sandbox, send))) == [False] * 3
    assert (batch.status, batch.size, batch.tracked) == ("submitted", 3, False)
    assert (counts(send).submitted, counts(send).tracked) == (3, 0)


def test_who_refused_and_left_takes_nothing_from_the_others(sandbox: Sandbox, transport: SendGridTransport) -> None:
    send = make_tracked_send()
    gone = Subscriber.objects.first()
    assert gone is not None
    tracking.answer(gone.pk, tracking.Tracking.DENIED, source="preferences page")
    gone.subscriptions.update(status="unsubscribed")

    submit(send, transport)

    told = settings_of(sandbox, send)
    assert [is_on(one) for one in told] == [True, True]
    assert counts(send).tracked == 2


def test_who_agrees_after_freezing_is_not_tracked_by_this_send(sandbox: Sandbox, transport: SendGridTransport) -> None:
    send = make_tracked_send(1, said="unknown")
    tracking.answer(Subscriber.objects.get().pk, tracking.Tracking.GRANTED, source="preferences page")

    submit(send, transport)

    assert list(map(is_on, settings_of(sandbox, send))) == [False]


def test_a_server_that_reports_nothing_tracks_nobody(smtp: SmtpTransport) -> None:
    send = make_tracked_send()
    assert only_batch(send).tracked

    posting.submit_batch(only_batch(send).pk, transport=smtp)

    assert (counts(send).submitted, counts(send).tracked) == (3, 0)
    assert not Batch.objects.filter(send=send, tracked=True).exists()
