"""Delivery reports taken in: what they do to readers, and what those that are forged do not."""

from hashlib import blake2b
from io import BytesIO
from uuid import UUID, uuid4

import pytest

from subscribers import suppression
from subscribers.models import Subscriber, Suppression
from tasks.database import high_water
from tasks.feedback import applying, inbox
from tasks.feedback.delivery_reports import TakenIn, take_in
from tasks.mime.envelope_ids import EnvelopeId, EnvelopeIds, address_digest
from tasks.models import Attempt, Batch, Event, Receipt, Send, WebhookState
from tasks.privacy.erasing_tables import erase_from_tables
from tasks.privacy.naming import Naming
from tasks.providers.smtp.provider import envelope_ids
from tests.delivery_reports import FORMS, report
from tests.reports import World, make_world, suppressions

pytestmark = pytest.mark.django_db


def sealed(world: World, reader: int = 0, *, attempt: UUID | None = None, ids: EnvelopeIds | None = None) -> str:
    subscriber = world.readers[reader]
    envelope = EnvelopeId(world.send.pk, subscriber.pk, attempt or world.attempt.pk, address_digest(subscriber.email))
    return (ids or envelope_ids()).seal(envelope, installation=high_water.installation())


def take(*mails: bytes) -> TakenIn:
    """Taken in and applied."""
    taken = take_in(mails)
    if taken.receipt is not None:
        applying.apply_receipt(taken.receipt)
        assert Receipt.objects.get(pk=taken.receipt).error == ""
    return taken


def foreign() -> int:
    return sum(WebhookState.objects.filter(provider="smtp").values_list("foreign_events", flat=True))


@pytest.fixture
def world() -> World:
    return make_world(3)


@pytest.mark.parametrize("form", FORMS)
def test_a_mailbox_that_does_not_exist_is_never_mailed_again(form: str, world: World) -> None:
    ann = world.readers[0]

    taken = take(report(sealed(world), ann.email, form=form))

    assert (taken.reports, taken.events, taken.foreign, taken.others) == (1, 1, 0, 0)
    assert suppressions() == {(ann.email, "hard_bounce", None)}
    assert Suppression.objects.get().detail.startswith("550")
    assert world.counts() == {"bounced": 1}
    assert Event.objects.get().kind == "hard_bounce"


@pytest.mark.parametrize(
    ("action", "status", "kind", "counts"),
    [
        ("failed", "5.2.2", "soft_bounce", {"bounced": 1}),
        ("failed", "5.7.1", "soft_bounce", {"bounced": 1}),
        ("failed", "4.4.7", "soft_bounce", {"bounced": 1}),
        ("delayed", "4.4.1", "deferred", {}),
        ("delivered", "2.0.0", "delivered", {"delivered": 1}),
        ("relayed", "2.1.9", "delivered", {"delivered": 1}),
        ("expanded", "2.0.0", "delivered", {"delivered": 1}),
    ],
)
def test_anything_else_is_counted_and_suppresses_nobody(
    action: str, status: str, kind: str, counts: dict[str, int], world: World
) -> None:
    take(report(sealed(world), world.readers[0].email, action=action, status=status))

    assert [event.kind for event in Event.objects.all()] == [kind]
    assert world.counts() == counts
    assert suppressions() == set()


def test_what_comes_twice_or_in_the_wrong_order_counts_once(world: World) -> None:
    ann = world.readers[0].email
    failed, delayed = report(sealed(world), ann), report(sealed(world), ann, action="delayed", status="4.4.1")

    for mail in (failed, delayed, failed, delayed, failed):
        take(mail)
    take(failed, failed)

    assert world.counts() == {"bounced": 1}
    assert sorted(event.kind for event in Event.objects.all()) == ["deferred", "hard_bounce"]


def test_whom_a_person_has_set_free_is_not_suppressed_by_the_same_report(world: World) -> None:
    mail = report(sealed(world), world.readers[0].email)
    take(mail)
    Suppression.objects.all().delete()

    take(mail)

    assert suppressions() == set()


def test_a_forged_report_changes_nothing(world: World) -> None:
    ann = world.readers[0].email
    another_key = sealed(world, ids=EnvelopeIds("another key, as long as ours " * 2))
    mails = [report(id_, ann) for id_ in ("", "x", "A" * 72, another_key, str(world.attempt.pk))]
    # All that readers and their servers see of a mail, but its id.
    message_id = f"Message-ID: <{world.send.pk}.{world.readers[0].pk}.abc@example.com>"
    mails.append(report("", ann, changed=lambda text: text.replace("Message-ID: <1.2.abc@example.com>", message_id)))

    taken = take(*mails)

    assert taken == TakenIn(foreign=6)
    assert foreign() == 6
    assert (suppressions(), world.counts(), Event.objects.count(), Receipt.objects.count()) == (set(), {}, 0, 0)


def test_another_installation_with_our_key_and_ids_is_another(world: World) -> None:
    envelope = EnvelopeId(world.send.pk, world.readers[0].pk, world.attempt.pk, address_digest(world.readers[0].email))
    theirs = envelope_ids().seal(envelope, installation=str(uuid4()))

    assert take(report(theirs, world.readers[0].email)).foreign == 1
    assert suppressions() == set()


def test_with_the_id_of_ones_own_mail_nobody_suppresses_another(world: World) -> None:
    """A reader's mail server knows the id of that reader's mail, and may write whatever it likes."""
    bo = world.readers[1].email

    take(report(sealed(world, 0), bo))

    assert suppressions() == set()
    assert [event.kind for event in Event.objects.all()] == ["soft_bounce"]
    assert Event.objects.get().subscriber_id == world.readers[0].pk


def test_an_address_that_mail_is_forwarded_to_says_nothing_about_the_readers(world: World) -> None:
    ann = world.readers[0].email
    mail = report(
        sealed(world),
        ann,
        changed=lambda text: text.replace(
            f"Final-Recipient: rfc822; {ann}", "Final-Recipient: rfc822; old@else.example"
        ),
    )

    take(mail)

    assert suppressions() == set()
    assert world.counts() == {"bounced": 1}


def test_a_reader_who_has_another_address_now_keeps_it(world: World) -> None:
    ann, id_ = world.readers[0], sealed(world)
    Subscriber.objects.filter(pk=ann.pk).update(email="ann.new@example.net")

    take(report(id_, ann.email))

    assert suppressions() == {(ann.email, "hard_bounce", None)}
    assert world.counts() == {"bounced": 1}


def test_an_erased_reader_is_not_written_down_again(world: World) -> None:
    ann, id_ = world.readers[0], sealed(world)
    suppression.suppress(ann.email, Suppression.Reason.ERASED)
    erase_from_tables(ann.email, ann.pk, Naming(ann.email))
    assert not Subscriber.objects.filter(pk=ann.pk).exists()
    before = suppressions()

    taken = take(report(id_, ann.email))

    assert taken.reports == 1
    assert suppressions() == before
    assert ann.email not in {address for address, *_ in suppressions()}


def test_a_report_that_waits_while_its_reader_is_erased_is_applied_without_them(world: World) -> None:
    ann = world.readers[0]
    taken = take_in([report(sealed(world), ann.email)])
    assert taken.receipt is not None
    suppression.suppress(ann.email, Suppression.Reason.ERASED)
    before = suppressions()

    erase_from_tables(ann.email, ann.pk, Naming(ann.email))

    body = bytes(Receipt.objects.get(pk=taken.receipt).body)
    assert ann.email.encode() not in body
    applying.apply_receipt(taken.receipt)
    assert (suppressions(), world.counts()) == (before, {"bounced": 1})


def test_a_domain_beyond_ascii_is_the_readers(world: World) -> None:
    ann = world.readers[0]
    Subscriber.objects.filter(pk=ann.pk).update(email="ann@bücher.example")
    ann.refresh_from_db()

    take(report(sealed(world), "ann@xn--bcher-kva.example"))

    assert ("ann@bücher.example", "hard_bounce", None) in suppressions()


def test_a_relay_that_gives_mails_its_own_envelope_is_seen_through(world: World) -> None:
    take(report("0102018a-ses-like-id", world.readers[0].email, header_id=sealed(world)))

    assert world.counts() == {"bounced": 1}


def test_a_mail_that_is_no_report_is_only_counted(world: World) -> None:
    assert take(b"", b"Subject: hello\n\nI am away.\n") == TakenIn(others=2)
    assert take() == TakenIn()
    assert foreign() == 0


def test_attempts_that_the_database_has_lost_pause_the_send(world: World) -> None:
    for reader in range(2):
        take(report(sealed(world, reader, attempt=uuid4()), world.readers[reader].email))

    assert Send.objects.get(pk=world.send.pk).status == Send.Status.PAUSED
    assert Attempt.objects.filter(transport="lost", batch=None).count() == 2


def test_one_report_on_an_attempt_that_the_database_lacks_moves_no_reader(world: World) -> None:
    """Else a copy of the installation that mails a reader would keep the edition from them here."""
    Batch.objects.filter(pk=world.batch.pk).update(status=Batch.Status.PENDING)

    take(report(sealed(world, attempt=uuid4()), world.readers[0].email))

    assert Send.objects.get(pk=world.send.pk).status == Send.Status.SENDING
    assert Batch.objects.get(send=world.send).status == Batch.Status.PENDING
    assert foreign() == 1


def test_the_receipt_holds_what_was_read_and_not_the_mail(world: World) -> None:
    taken = take(report(sealed(world), world.readers[0].email))

    body = bytes(Receipt.objects.get(pk=taken.receipt).body)
    assert Receipt.objects.get(pk=taken.receipt).provider == "smtp"
    assert b"Subject" not in body
    assert sealed(world).encode() not in body
    assert f'"nd_delivery":"{world.send.pk}.{world.readers[0].pk}"'.encode() in body


@pytest.mark.parametrize(
    "body",
    [
        b'[{"event":"opened","nd_delivery":"1.2"}]',
        b'[{"event":"delivered"}]',
        b"[",
        b"7",
        b'[{"event":"delivered","nd_delivery":"1"}]',
    ],
)
def test_a_receipt_that_is_not_of_reports_waits_for_a_person(body: bytes) -> None:
    receipt_id = inbox.store(BytesIO(body), provider="smtp")
    assert receipt_id is not None

    applying.apply_receipt(receipt_id)

    receipt = Receipt.objects.get()
    assert receipt.error.startswith("the receipt is not one of delivery reports")
    assert receipt.applied_at is None


def test_what_was_reported_before_an_upgrade_is_known_after_it(world: World) -> None:
    take(report(sealed(world), world.readers[0].email))

    named = f"{world.send.pk}.{world.readers[0].pk}\0{world.attempt.pk}\0hard_bounce"
    assert bytes(Event.objects.get().key) == blake2b(named.encode(), digest_size=16).digest()
