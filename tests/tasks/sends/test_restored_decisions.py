"""What was decided about sends after a backup, when it is restored: nothing that was taken back goes out."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections
from django.utils import timezone

from newsdesk.local_stack import restoring
from subscribers import preferences, suppression, tracking
from subscribers.models import MergedReader, Subscriber, Subscription
from tasks.approvals.approving import approve_edition, reopen_edition
from tasks.database import id_sequences, identity
from tasks.models import Alarm, Receipt, Send
from tasks.preparation import preparing
from tasks.privacy.merging import merge
from tasks.sends import control, database_behind, database_doubts
from tasks.sends.scheduling import schedule
from tasks.submission import recovery
from tests.factories import make_list, make_prepared_send, make_publication, make_send, make_subscriber
from tests.reports import make_world, store
from tests.tasks.slots.weekly import make_draft

pytestmark = pytest.mark.integration


def _scheduled() -> Send:
    return make_send(2, scheduled_at=timezone.now() + timedelta(hours=1))


def _void(send: Send) -> None:
    send.approval.edition.approvals.all().void("reopened")


@pytest.mark.parametrize(
    ("decide", "words"),
    [
        (lambda send: control.cancel(send.pk, who="ada"), "This send was cancelled after it was made"),
        (lambda send: control.pause(send.pk, "A wrong name", who="ada"), "paused after it was made: A wrong name"),
        (_void, "The edition of this send was reopened after it was made"),
        (
            lambda send: Send.objects.filter(pk=send.pk).update(scheduled_at=timezone.now() + timedelta(days=7)),
            "put to another time after it was made",
        ),
        (lambda send: Send.objects.filter(pk=send.pk).delete(), "Nobody here knows what was decided about this send"),
    ],
    ids=["cancelled", "paused", "reopened", "moved", "unknown"],
)
def test_what_was_taken_back_after_the_dump_waits(dump: Any, decide: Callable[[Send], Any], words: str) -> None:
    send, untouched = _scheduled(), _scheduled()
    file = dump()
    decide(send)

    report = restoring.restore(file)

    assert (report.held, report.forgotten) == ((send.pk,), 0)
    send.refresh_from_db()
    assert (send.status, Send.objects.get(pk=untouched.pk).status) == ("paused", "scheduled")
    assert words in send.pause_reason
    assert Alarm.objects.get(send=send, cleared_at=None).message == send.pause_reason
    assert control.resume(send.pk, who="ada")
    Send.objects.update(scheduled_at=timezone.now())
    assert preparing.prepare_due() == 2


def test_a_send_that_was_cancelled_while_it_ran_does_not_go_on(dump: Any) -> None:
    send = make_prepared_send(3)
    file = dump()
    control.cancel(send.pk, who="ada")

    assert restoring.restore(file).held == (send.pk,)

    assert Send.objects.get().status == "paused"


def test_of_a_paused_send_it_is_told_that_it_was_cancelled(dump: Any) -> None:
    send = _scheduled()
    control.pause(send.pk, "A wrong name", who="ada")
    file = dump()
    control.cancel(send.pk, who="ada")

    assert restoring.restore(file).held == (send.pk,)

    assert "cancelled" in Send.objects.get().pause_reason
    assert Alarm.objects.filter(send=send, message__contains="cancelled", cleared_at=None).exists()


def test_a_held_send_that_was_cancelled_does_not_go_out_with_the_next_approval(dump: Any) -> None:
    draft = make_draft(make_publication(), None)
    approve_edition(draft, None)
    send = schedule(draft, lists=[make_list(draft.publication)], at=timezone.now() + timedelta(hours=1))
    reopen_edition(draft, None)
    file = dump()
    control.cancel(send.pk, who="ada")

    assert restoring.restore(file).held == (send.pk,)
    draft.refresh_from_db()
    approve_edition(draft, None)

    send.refresh_from_db()
    assert (send.status, send.held_at) == ("paused", None)
    assert "This send was cancelled after it was made" in send.pause_reason
    assert control.resume(send.pk, who="ada")


def test_where_the_database_as_it_was_cannot_be_read_every_send_waits(dump: Any) -> None:
    send = _scheduled()
    file = dump()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE composer_approval RENAME TO damaged")

    assert restoring.restore(file).held == (send.pk,)

    assert "Nobody here knows" in Send.objects.get().pause_reason


def test_a_send_to_come_waits_in_a_database_that_somebody_else_restored(dump: Any) -> None:
    """By `pg_restore` in the same server, which nobody can ask what was decided since."""
    send = _scheduled()
    Send.objects.update(**identity.current().as_fields)
    file = dump()
    connections.close_all()
    restoring._swap(str(connection.settings_dict["NAME"]), "newsdesk_before_1", file)
    recovery.recover()
    Send.objects.update(scheduled_at=timezone.now())

    assert preparing.prepare_due() == 0

    assert Send.objects.get().pause_reason == database_doubts.RESTORED
    assert control.resume(send.pk, who="ada")
    assert preparing.prepare_due() == 1


def test_ids_of_after_the_dump_are_given_to_nobody_else(dump: Any) -> None:
    """A link in a mail names its reader by an id: whoever got that id since would be unsubscribed in their place."""
    readers = make_list(make_publication(), "readers")
    file = dump()
    mailed = make_subscriber(readers, email="mailed@example.com")
    send = make_prepared_send(1)

    restoring.restore(file)

    assert not Subscriber.objects.filter(pk=mailed.pk).exists()
    assert make_subscriber(readers, email="other@example.com").pk > mailed.pk
    assert make_send().pk > send.pk


def test_where_nobody_knows_the_ids_of_after_the_dump_many_are_passed_over(dump: Any) -> None:
    readers = make_list(make_publication(), "readers")
    file = dump()
    before = make_subscriber(readers).pk
    with connection.cursor() as cursor:
        cursor.execute("UPDATE tasks_installation SET id = gen_random_uuid()")

    restoring.restore(file)

    assert make_subscriber(readers, email="other@example.com").pk >= before + id_sequences.LEAP


def test_who_was_merged_after_the_dump_and_left_is_one_reader_who_has_left(dump: Any) -> None:
    """In the dump there are two, and only the address of one is suppressed."""
    readers = make_list(make_publication(), "readers")
    keep = make_subscriber(readers, email="ada@example.com")
    other = make_subscriber(readers, email="ada@old.example")
    file = dump()
    merge(keep, other, who="ada")
    suppression.unsubscribe(keep.pk, readers.publication_id, "page")

    report = restoring.restore(file)

    assert report.opt_outs is not None
    assert report.opt_outs.merged == 1
    assert Subscriber.objects.get() == keep
    assert Subscription.objects.get().status == "unsubscribed"
    assert MergedReader.objects.get().gone_id == other.pk


def test_who_was_merged_into_a_reader_of_after_the_dump_has_left_with_them(dump: Any) -> None:
    readers, others = (make_list(publication := make_publication(), "readers"), make_list(publication, "others"))
    old = make_subscriber(readers, email="ada@old.example", tracking="granted")
    Subscription.objects.create(subscriber=old, list=others, status="active")
    file = dump()
    new = make_subscriber(readers, email="ada@example.com", tracking="granted")
    merge(new, old, who="ada")
    preferences.leave_list(new.pk, readers.pk, source="page")
    tracking.answer(new.pk, Subscriber.Tracking.DENIED, source="page")

    report = restoring.restore(file)

    assert report.opt_outs is not None
    assert (report.opt_outs.merged, report.opt_outs.not_merged) == (0, 1)
    assert "1 that could not be merged again" in restoring.in_words(report)
    assert Subscriber.objects.get() == old
    assert Subscriber.objects.get().tracking == "denied"
    assert dict(Subscription.objects.values_list("list__slug", "status")) == {
        readers.slug: "unsubscribed", others.slug: "active"
    }  # fmt: skip


def test_a_report_that_cannot_be_applied_waits_on(dump: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world(1)
    store(world.report(0, "unsubscribe"))
    file = dump()
    monkeypatch.setattr("tasks.feedback.applying.carry_out", lambda events: 1 / 0)

    report = restoring.restore(file)

    assert report.replayed == 0
    assert Receipt.objects.get().applied_at is None


def test_a_record_that_is_another_by_now_is_not_merged(dump: Any) -> None:
    readers = make_list(make_publication(), "readers")
    keep = make_subscriber(readers, email="ada@example.com")
    other = make_subscriber(readers, email="grace@example.com")
    file = dump()
    Subscriber.objects.filter(pk=other.pk).update(email="ada@old.example")
    other.refresh_from_db()
    merge(keep, other, who="ada")

    restoring.restore(file)

    assert Subscriber.objects.count() == 2


@pytest.mark.parametrize("forget", [False, True])
def test_who_left_by_a_report_that_still_waited_has_left(dump: Any, forget: bool) -> None:
    world = make_world(1)
    file = dump()
    store(world.report(0, "unsubscribe"))

    report = restoring.restore(file, forget_opt_outs=forget)

    assert report.replayed == (0 if forget else 1)
    assert Subscription.objects.get().status == ("active" if forget else "unsubscribed")


@pytest.mark.django_db
def test_a_database_that_is_behind_gives_no_reader_an_id_that_may_be_taken() -> None:
    before = make_subscriber().pk

    database_behind.hold_open_sends("It is older than what was sent.")

    assert make_subscriber().pk > before + id_sequences.LEAP
