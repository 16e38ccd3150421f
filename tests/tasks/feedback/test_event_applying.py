from datetime import timedelta
from io import BytesIO
from typing import Any

import orjson
import pytest
from django.utils import timezone

from subscribers.models import Subscription, Suppression
from subscribers.suppression import suppress
from tasks.feedback import applying, inbox
from tasks.models import Alarm, Attempt, Batch, Delivery, Event, Exclusion, Receipt, Send
from tests import factories
from tests.reports import deliver, make_world, state, suppressions

pytestmark = pytest.mark.django_db
Seen = Delivery.Seen


def test_counters_count_readers_once() -> None:
    world = make_world(3)

    deliver(
        *(world.report(reader, "processed") for reader in range(3)),
        *(world.report(reader, "delivered") for reader in range(3)),
        *(world.report(0, "open") for _ in range(4)),
        *(world.report(0, "click", url=f"https://example.com/{number % 2}") for number in range(4)),
    )
    deliver(world.report(0, "open"), world.report(1, "open"))

    assert world.counts() == {"delivered": 3, "opened": 2, "clicked": 1}
    assert world.seen(0) == Seen.PROCESSED | Seen.DELIVERED | Seen.OPENED | Seen.CLICKED
    assert world.seen(2) == Seen.PROCESSED | Seen.DELIVERED


def test_a_receipt_is_applied_once() -> None:
    world = make_world()
    receipt_id = inbox.store(BytesIO(orjson.dumps([world.report(0, "delivered")])), provider="sendgrid")

    first, second = applying.apply_receipt(receipt_id), applying.apply_receipt(receipt_id)

    assert (first.events, first.new, first.marked) == (1, 1, 1)
    assert second == applying.Applied()
    assert Receipt.objects.get().applied_at is not None


def test_a_receipt_that_comes_again_changes_nothing() -> None:
    world = make_world(2)
    reports = [world.report(0, "delivered"), world.report(1, "bounce", type="bounce"), world.report(0, "spamreport")]
    deliver(*reports)
    before = state()

    assert deliver(*reports).new == 0
    assert state() == before


def test_a_receipt_that_does_not_exist_is_nobodys_fault() -> None:
    assert applying.apply_receipt(404) == applying.Applied()


@pytest.mark.parametrize(
    ("fields", "reason", "counted"),
    [
        ({"event": "bounce", "type": "bounce", "reason": "550 no such user"}, "hard_bounce", "bounced"),
        ({"event": "spamreport"}, "complaint", "complained"),
        ({"event": "dropped", "reason": "Invalid"}, "invalid", None),
        ({"event": "dropped", "reason": "Bounced Address"}, "hard_bounce", None),
    ],
)
def test_what_holds_everywhere(fields: dict[str, str], reason: str, counted: str | None) -> None:
    world = make_world()

    deliver(world.report(0, **fields))

    assert suppressions() == {(world.readers[0].email, reason, None)}
    assert Suppression.objects.get().detail == fields.get("reason", "")
    assert world.counts() == ({counted: 1} if counted else {})


@pytest.mark.parametrize(
    "fields",
    [{"event": "bounce", "type": "blocked"}, {"event": "deferred"}, {"event": "dropped", "reason": "Spam Content"}],
)
def test_what_is_not_the_readers_fault_suppresses_nobody(fields: dict[str, str]) -> None:
    world = make_world()

    deliver(world.report(0, **fields))

    assert suppressions() == set()


@pytest.mark.parametrize(
    "fields",
    [{"event": "unsubscribe"}, {"event": "group_unsubscribe"}, {"event": "dropped", "reason": "Unsubscribed Address"}],
)
def test_an_unsubscribe_holds_for_the_sends_publication_only(fields: dict[str, str]) -> None:
    world = make_world()
    reader = world.readers[0]
    other = factories.make_list(factories.make_publication())
    Subscription.objects.create(subscriber=reader, list=other, status="active")

    deliver(world.report(0, **fields))

    assert suppressions() == {(reader.email, "unsubscribed", world.send.edition.publication_id)}
    assert Subscription.objects.get(subscriber=reader, list=other).status == "active"
    assert Subscription.objects.exclude(list=other).get().status == "unsubscribed"


def test_a_complaint_is_not_an_unsubscribe() -> None:
    world = make_world()

    deliver(world.report(0, "spamreport"))

    assert world.counts() == {"complained": 1}
    assert Subscription.objects.get().status == "active"


def test_opens_and_clicks_never_unsubscribe() -> None:
    world = make_world()

    deliver(
        world.report(0, "click", url="https://news.example.com/u/token"),
        world.report(0, "open"),
        world.report(0, "group_resubscribe"),
    )

    assert Subscription.objects.get().status == "active"
    assert suppressions() == set()


def test_a_machines_open_is_stored_and_not_counted() -> None:
    world = make_world()

    deliver(world.report(0, "open", sg_machine_open=True))

    assert Event.objects.get().kind == "opened_by_machine"
    assert world.counts() == {}


def test_unknown_names_are_stored_and_mean_nothing() -> None:
    world = make_world()

    applied = deliver(world.report(0, "account_status_change"), world.report(0, "x" * 99), {"unknown": True})

    assert (applied.events, applied.new, applied.marked) == (3, 3, 0)
    assert sorted(Event.objects.values_list("kind", flat=True)) == [
        "other:",
        "other:account_status_change",
        "other:" + "x" * 24,
    ]


def test_a_bad_entry_is_named_and_loses_no_other() -> None:
    world = make_world()

    applied = deliver(7, world.report(0, "delivered"), None)

    assert world.counts() == {"delivered": 1}
    assert (
        applied.error
        == "2 entries are not events: entry 0 is not an object but int; entry 2 is not an object but NoneType"
    )
    receipt = Receipt.objects.get()
    assert (receipt.error, receipt.applied_at is None) == (applied.error, False)


def test_a_body_that_cannot_be_read_waits_for_a_person() -> None:
    receipt_id = inbox.store(BytesIO(b"[{"), provider="sendgrid")

    applying.apply_receipt(receipt_id)
    applying.apply_receipt(receipt_id)

    receipt = Receipt.objects.get()
    assert receipt.applied_at is None
    assert receipt.error.startswith("the body is not JSON")
    assert Alarm.objects.get().code == "receipt_unreadable"


def test_an_event_without_a_timestamp_is_dated_by_its_receipt() -> None:
    world = make_world()

    deliver(world.report(0, "delivered", timestamp="soon"))

    assert Event.objects.get().at == Receipt.objects.get().received_at


def test_the_address_that_bounced_is_suppressed_not_the_readers_new_one() -> None:
    world = make_world()

    deliver(world.report(0, "bounce", type="bounce", email="Old@Example.com"))

    assert {address for address, _, _ in suppressions()} == {"old@example.com"}


def test_a_repeated_bounce_does_not_undo_what_a_person_has_decided() -> None:
    world = make_world()
    bounce = world.report(0, "bounce", type="bounce")
    deliver(bounce)
    Suppression.objects.all().delete()

    deliver(bounce, world.report(0, "delivered"))

    assert suppressions() == set()


def test_an_erased_reader_is_not_written_down_again() -> None:
    world = make_world()
    reader = world.readers[0]
    suppress(reader.email, "erased")
    bounce = world.report(0, "bounce", type="bounce")
    reader.delete()

    deliver(bounce)

    assert [reason for _, reason, _ in suppressions()] == ["erased"]


def test_reports_about_others_touch_nothing() -> None:
    world = make_world()

    deliver(
        world.report(0, "delivered", nd_delivery="999999.1", nd_attempt=""), {"event": "delivered", "email": "x@y.z"}
    )

    assert world.counts() == {}
    assert world.seen(0) == 0


def test_members_are_heard_once_for_their_attempt() -> None:
    world = make_world(3)

    deliver(world.report(0, "open"), world.report(1, "deferred"))
    assert world.heard() == 0

    deliver(
        world.report(0, "delivered"), world.report(0, "processed"), world.report(1, "dropped", reason="Spam Content")
    )
    deliver(world.report(0, "bounce", type="blocked"), world.report(2, "bounce", type="bounce"))
    assert world.heard() == 3


def test_a_probe_is_heard_without_a_delivery() -> None:
    probe = Attempt.objects.create(batch=None, number=0, size=1, transport="sendgrid:test")
    report = {"event": "delivered", "timestamp": 1, "email": "editors@example.com", "nd_attempt": str(probe.pk)}

    deliver({**report, "event": "deferred"})
    assert Attempt.objects.get().heard == 0
    deliver(report)
    deliver({**report, "event": "processed"})

    probe.refresh_from_db()
    assert (probe.heard, probe.outcome) == (1, "accepted")


def test_any_event_proves_the_attempt_it_names() -> None:
    world = make_world(2)
    Attempt.objects.update(outcome="unknown")
    Batch.objects.update(status=Batch.Status.UNKNOWN)

    deliver(world.report(0, "open", sg_machine_open=True))

    assert Attempt.objects.get().outcome == "accepted"
    assert Batch.objects.get().status == Batch.Status.SUBMITTED


class TestLate:
    """Reports without ids: asynchronous bounces and what SendGrid's own lists say."""

    def test_a_late_bounce_finds_its_reader_and_the_latest_send(self) -> None:
        world = make_world()
        reader = world.readers[0]
        older = factories.make_batch(
            factories.make_send(prepared_at=timezone.now() - timedelta(days=7)), status=Batch.Status.SUBMITTED
        )
        factories.make_delivery(older, reader)

        deliver(world.late(0, "bounce", type="bounce", email=reader.email.upper()))

        assert suppressions() == {(reader.email, "hard_bounce", None)}
        assert world.counts() == {"bounced": 1}
        assert Delivery.objects.get(batch_id=older.pk).seen == 0
        event = Event.objects.get()
        assert (event.send_id, event.subscriber_id) == (world.send.pk, reader.pk)

    @pytest.mark.parametrize(
        ("prepared", "counts"),
        [
            (timedelta(days=-10, minutes=1), {"bounced": 1}),
            (timedelta(days=-10, minutes=-1), {}),
            (timedelta(minutes=4.5), {"bounced": 1}),
            (timedelta(minutes=5.5), {}),
        ],
        ids=["within ten days", "later", "by a clock that is behind", "before it"],
    )
    def test_only_a_send_of_the_ten_days_before_it_is_meant(self, prepared: timedelta, counts: dict[str, int]) -> None:
        now = timezone.now()
        world = make_world(prepared_at=now + prepared)

        deliver(world.late(0, "bounce", type="bounce", timestamp=int(now.timestamp())))

        assert suppressions() == {(world.readers[0].email, "hard_bounce", None)}
        assert world.counts() == counts

    def test_one_that_names_an_older_send_counts_there(self) -> None:
        world = make_world(prepared_at=timezone.now() - timedelta(days=2))
        later = factories.make_batch(factories.make_send(prepared_at=timezone.now()), status=Batch.Status.SUBMITTED)
        factories.make_delivery(later, world.readers[0])

        deliver(world.report(0, "bounce", type="blocked"))

        assert world.counts() == {"bounced": 1}

    def test_a_send_that_left_the_reader_out_is_not_meant(self) -> None:
        world = make_world()
        Exclusion.objects.create(
            send_id=world.send.pk, subscriber_id=world.readers[0].pk, kind="excluded", reason="manual", attempt=1
        )

        deliver(world.late(0, "bounce", type="bounce"))

        assert suppressions() == {(world.readers[0].email, "hard_bounce", None)}
        assert world.counts() == {}

    @pytest.mark.parametrize(("event", "reason"), [("bounce", "hard_bounce"), ("spamreport", "complaint")])
    def test_what_is_told_of_a_stranger_suppresses_the_address(self, event: str, reason: str) -> None:
        deliver({"event": event, "type": "bounce", "email": "Stranger@example.com", "timestamp": 1600000000})

        assert suppressions() == {("stranger@example.com", reason, None)}

    def test_other_mail_of_the_account_does_not_count(self) -> None:
        world = make_world()

        deliver(world.late(0, "processed"), world.late(0, "delivered"), world.late(0, "open"), world.late(0, "click"))

        assert world.seen(0) == 0

    def test_an_unsubscribe_counts_for_the_latest_send(self) -> None:
        world = make_world()

        deliver(world.late(0, "unsubscribe"))

        assert suppressions() == {(world.readers[0].email, "unsubscribed", world.send.edition.publication_id)}
        assert world.counts() == {"unsubscribed": 1}

    def test_an_unsubscribe_from_nowhere_is_honoured_everywhere(self) -> None:
        lists = [factories.make_list(factories.make_publication()) for _ in range(2)]
        reader = factories.make_subscriber(lists[0])
        Subscription.objects.create(subscriber=reader, list=lists[1], status="active")

        deliver({"event": "unsubscribe", "email": reader.email, "timestamp": 1600000000})

        assert set(Subscription.objects.values_list("status", flat=True)) == {"unsubscribed"}

    def test_a_late_bounce_with_an_empty_address_is_kept(self) -> None:
        world = make_world()

        assert deliver(world.late(0, "bounce", type="bounce", email="")).new == 1
        assert suppressions() == set()


@pytest.mark.parametrize("fields", [{"email": "stranger@example.org"}, {"nd_delivery": "1.999999"}])
def test_another_installations_events_do_nothing(fields: dict[str, Any]) -> None:
    """It sends through the same account, and its ids are ours by chance."""
    world = make_world()
    foreign = {"nd_attempt": "0b51e5a0-7c0e-4f0e-9d53-6ad8a1f0c001", **fields}

    applied = deliver(world.report(0, "delivered", **foreign), world.report(0, "unsubscribe", **foreign))

    assert applied.new == 0
    assert Send.objects.get().status != Send.Status.PAUSED
    assert world.counts() == {}
    assert set(Subscription.objects.values_list("status", flat=True)) == {"active"}
