"""A mailbox provider that defers what SendGrid hands it is handed less; nobody else is."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from sandbox.server import Sandbox
from tasks.audience import freezing
from tasks.models import Batch, Delivery, MailboxDomain, Send
from tasks.providers.sendgrid.transport import SendGridTransport
from tasks.sends.counts import counts
from tasks.submission import posting, recovery
from tasks.throttling import deferrals
from tasks.throttling.explanations import why_waiting
from tests.factories import make_approval, make_list, make_prepared_send, make_subscriber
from tests.reports import World, deliver, make_world

pytestmark = pytest.mark.django_db

SLOW = "slow.example.net"


def world(readers: int = 40) -> World:
    made = make_world(readers)
    for number, reader in enumerate(made.readers):
        reader.email = f"reader{number}@{SLOW if number % 2 else 'example.com'}"
        reader.save(update_fields=["email"])
    return made


def tell(made: World, event: str, readers: range, **fields: Any) -> None:
    deliver(*(made.report(reader, event, **fields) for reader in readers))


def over() -> None:
    MailboxDomain.objects.update(throttled_until=timezone.now() - timedelta(seconds=1))


def slowed() -> set[str]:
    return set(MailboxDomain.objects.exclude(throttled_until=None).values_list("name", flat=True))


def test_a_domain_of_which_much_is_deferred_is_slowed_and_no_other() -> None:
    made = world(100)
    tell(made, "delivered", range(0, 100, 2))
    tell(made, "deferred", range(1, 41, 2), response="421 4.7.0 <reader1@slow.example.net> slow down")

    assert slowed() == {SLOW}
    assert MailboxDomain.objects.get().throttle_reason == (
        "100 % of the last 20 mails to it were deferred: 421 4.7.0 … slow down"
    )


@pytest.mark.parametrize(
    ("deferred", "delivered", "most"),
    [(19, 0, 20.0), (3, 40, 20.0), (30, 0, 0.0), (25, 20, 60.0)],
    ids=["too few to tell", "a small share", "switched off", "less than was set"],
)
def test_less_than_that_slows_nobody(deferred: int, delivered: int, most: float, settings: Any) -> None:
    settings.MOST_DEFERRED = most
    made = world(200)
    tell(made, "deferred", range(1, 1 + 2 * deferred, 2))
    tell(made, "delivered", range(101, 101 + 2 * delivered, 2))

    assert not slowed()


def test_receipts_add_up_and_a_reader_who_is_deferred_again_and_again_counts_once_in_each() -> None:
    made = world(60)
    deliver(*(made.report(1, "deferred", attempt=str(number)) for number in range(40)))
    assert not slowed()
    for first in (1, 21, 41):
        tell(made, "deferred", range(first, min(first + 20, 60), 2))

    assert slowed() == {SLOW}


def test_what_is_old_says_nothing_of_now() -> None:
    made = world(60)
    long_ago = int(timezone.now().timestamp()) - 3600
    deliver(*({**made.report(reader, "deferred"), "timestamp": long_ago} for reader in range(1, 60, 2)))

    assert not MailboxDomain.objects.exists()


def test_it_waits_longer_while_it_defers_on_and_goes_on_as_before_when_it_does_no_more() -> None:
    made = world(400)
    pauses = []
    for first in (1, 101, 201):
        tell(made, "deferred", range(first, first + 40, 2))
        state = MailboxDomain.objects.get()
        assert state.throttled_until
        assert state.throttled_at
        pauses.append(round((state.throttled_until - state.throttled_at).total_seconds()))
        over()
    assert pauses == [30, 60, 120]

    tell(made, "delivered", range(1, 61, 2))
    assert not MailboxDomain.objects.exists()


def test_a_webhook_that_stays_away_slows_nobody_for_long() -> None:
    tell(world(), "deferred", range(1, 40, 2))
    assert slowed()
    MailboxDomain.objects.update(
        counted_since=timezone.now() - timedelta(minutes=11), deferred_at=timezone.now() - timedelta(minutes=11)
    )

    recovery.recover()

    assert not MailboxDomain.objects.exists()


@pytest.fixture
def send(monkeypatch: pytest.MonkeyPatch) -> Send:
    """Ten batches of four, each with two readers at the slow domain."""
    monkeypatch.setattr(freezing, "BATCH_SIZE", 4)
    approval = make_approval()
    readers = make_list(approval.edition.publication)
    for number in range(40):
        make_subscriber(readers, email=f"defer+{number}@{SLOW if number % 2 else 'example.com'}")
    return make_prepared_send(0, approval=approval, lists=[readers])


def submit_due(transport: SendGridTransport, send: Send) -> None:
    for batch_id in list(Batch.objects.filter(send=send, status="pending").order_by("pk").values_list("pk", flat=True)):
        posting.submit_batch(batch_id, transport=transport)


def test_its_readers_are_handed_over_one_batch_after_the_other_and_the_others_at_once(
    send: Send, transport: SendGridTransport, sandbox: Sandbox
) -> None:
    tell(world(), "deferred", range(1, 40, 2))

    submit_due(transport, send)

    told = counts(send)
    assert (told.submitted, told.pending, told.adds_up) == (20, 20, True)
    assert f"Readers at {SLOW} wait until " in why_waiting(Send.objects.get(pk=send.pk))
    over()
    submit_due(transport, send)
    assert counts(send).submitted == 22, "one batch, then a pause"
    assert MailboxDomain.objects.get().throttled_until > timezone.now()  # type: ignore[operator]
    MailboxDomain.objects.all().delete()
    submit_due(transport, send)

    send.refresh_from_db()
    assert send.status == Send.Status.SENT
    reached = Counter(message.recipient.address for message in sandbox.ledger.messages(limit=200))
    assert (len(reached), max(reached.values())) == (40, 1)
    sizes = dict(Batch.objects.filter(send=send).values_list("pk", "size"))
    assert sizes == Counter(Delivery.objects.filter(send_id=send.pk).values_list("batch_id", flat=True))


def test_a_failure_to_count_costs_no_report(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import OperationalError

    def away(*_: object) -> None:
        raise OperationalError("away")

    made = world(2)
    monkeypatch.setattr(deferrals, "run", away)

    tell(made, "deferred", range(1, 2))

    assert made.seen(1) == Delivery.Seen.DEFERRED
