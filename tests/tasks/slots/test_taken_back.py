"""Slots whose edition was sent by hand, or whose send was cancelled, and then approved anew: nobody waits for it in vain."""

from datetime import timedelta

import pytest
from django.utils import timezone

from composer.models import Edition
from tasks.approvals.approving import approve_edition, reopen_edition
from tasks.models import Alarm, Recurrence, Send, Slot, TransactionalMail
from tasks.sends import control
from tasks.sends.scheduling import schedule
from tasks.slots import upkeep
from tests.factories import make_batch, make_editor, make_subscriber
from tests.tasks.slots.weekly import codes, make_draft, make_weekly, outcome, recurring, slot_of

pytestmark = pytest.mark.django_db

SOON = timedelta(hours=1.5)
LATER = timedelta(days=2)


def sent_by_hand(ahead: timedelta) -> tuple[Edition, Send]:
    """An approved edition that a person sends before its slot, to the readers of it."""
    publication = make_weekly(ahead=ahead)
    recurrence = recurring(publication)
    edition = make_draft(publication, slot_of(publication, ahead=ahead))
    Recurrence.objects.update(active=False)
    approve_edition(edition, None)
    Recurrence.objects.update(active=True)
    send = schedule(edition, lists=list(recurrence.lists.all()), at=timezone.now() + timedelta(minutes=30))
    upkeep.keep_slots()
    assert outcome(edition) == "skipped"
    return edition, send


def approve_anew(edition: Edition) -> None:
    reopen_edition(edition, None)
    edition.refresh_from_db()
    approve_edition(edition, None)


def test_who_takes_a_send_by_hand_back_and_approves_anew_has_the_slot_again() -> None:
    edition, send = sent_by_hand(LATER)
    assert control.cancel(send.pk, who="ada")
    upkeep.keep_slots()
    assert Send.objects.count() == 1, "the old yes is not one to the slot"

    approve_anew(edition)

    again = Send.objects.exclude(pk=send.pk).get()
    assert (again.status, again.scheduled_at) == ("scheduled", edition.slot)
    assert Slot.objects.get().send == again
    assert outcome(edition) == ""


def test_who_takes_the_slots_own_send_back_and_approves_anew_has_it_again() -> None:
    edition, send = sent_by_hand(LATER)
    control.cancel(send.pk, who="ada")
    approve_anew(edition)
    own = Slot.objects.get().send
    assert own is not None
    control.cancel(own.pk, who="ada")
    upkeep.keep_slots()
    assert Send.objects.count() == 2

    approve_anew(edition)

    assert Send.objects.exclude(status="cancelled").get().scheduled_at == edition.slot


def test_a_send_of_which_something_is_out_keeps_the_slot() -> None:
    edition, send = sent_by_hand(SOON)
    make_batch(send, status="submitted")
    control.cancel(send.pk, who="ada")

    approve_anew(edition)

    assert Send.objects.get() == send
    upkeep.keep_slots()
    assert codes() == ["slot_unapproved"]
    assert "Send it to those who do not have it." in Alarm.objects.get(code="slot_unapproved").message
    # Following other advice does not silence it.
    approve_anew(edition)
    upkeep.keep_slots()
    assert codes() == ["slot_unapproved"]


def test_a_send_that_was_prepared_and_of_which_nothing_is_out_gives_the_slot_back() -> None:
    edition, send = sent_by_hand(SOON)
    make_batch(send)
    control.cancel(send.pk, who="ada")

    approve_anew(edition)

    assert Send.objects.exclude(pk=send.pk).get().scheduled_at == edition.slot


def test_whose_send_by_hand_was_cancelled_is_told_that_nothing_goes_out_at_the_slot() -> None:
    edition, send = sent_by_hand(SOON)
    assert codes() == []
    control.cancel(send.pk, who="ada")

    upkeep.keep_slots()
    upkeep.keep_slots()

    assert codes() == ["slot_unapproved"]
    assert "its send was cancelled and nothing else is scheduled" in Alarm.objects.get(code="slot_unapproved").message
    approve_anew(edition)
    assert codes() == []
    assert Send.objects.exclude(pk=send.pk).get().scheduled_at == edition.slot


def test_sending_it_by_hand_after_all_ends_the_alarm() -> None:
    edition, send = sent_by_hand(SOON)
    control.cancel(send.pk, who="ada")
    upkeep.keep_slots()

    schedule(edition, lists=list(send.lists.all()))
    upkeep.keep_slots()

    assert codes() == []


def test_whoever_cancels_the_slots_send_is_told_nothing() -> None:
    publication = make_weekly(ahead=SOON)
    recurring(publication)
    edition = make_draft(publication, slot_of(publication, ahead=SOON))
    approve_edition(edition, None)
    control.cancel(Send.objects.get().pk, who="ada")

    upkeep.keep_slots()

    assert codes() == []


def test_nobody_is_told_before_it_is_time() -> None:
    _, send = sent_by_hand(LATER)
    control.cancel(send.pk, who="ada")

    upkeep.keep_slots()

    assert codes() == []


def test_reopened_after_its_send_was_cancelled_it_is_a_draft_like_any_other() -> None:
    publication = make_weekly(ahead=LATER)
    recurring(publication)
    edition = make_draft(publication, slot_of(publication, ahead=LATER))
    approve_edition(edition, None)
    control.cancel(Send.objects.get().pk, who="ada")
    reopen_edition(edition, None)

    upkeep.keep(publication, now=edition.slot - timedelta(hours=3))
    assert codes() == []
    upkeep.keep(publication, now=edition.slot - SOON)

    assert codes() == ["slot_unapproved"]
    assert "is not approved" in Alarm.objects.get(code="slot_unapproved").message


def test_sent_by_hand_taken_back_and_reopened_it_is_told_that_nobody_has_approved_it() -> None:
    edition, send = sent_by_hand(LATER)
    control.cancel(send.pk, who="ada")
    reopen_edition(edition, None)
    assert edition.slot is not None

    upkeep.keep(edition.publication, now=edition.slot - timedelta(hours=3))
    assert codes() == []
    upkeep.keep(edition.publication, now=edition.slot - SOON)
    upkeep.keep(edition.publication, now=edition.slot - SOON)

    assert codes() == ["slot_unapproved"]
    assert "is not approved" in Alarm.objects.get(code="slot_unapproved").message
    edition.refresh_from_db()
    approve_edition(edition, None)
    assert Send.objects.exclude(pk=send.pk).get().scheduled_at == edition.slot


def test_who_is_told_that_nothing_goes_out_is_told_by_mail() -> None:
    make_editor()
    edition, send = sent_by_hand(SOON)
    control.cancel(send.pk, who="ada")

    upkeep.keep_slots()

    assert TransactionalMail.objects.filter(kind="alarm", edition=edition).count() == 1


def test_where_nothing_is_sent_every_week_nobody_is_told_that_nothing_goes_out() -> None:
    _, send = sent_by_hand(SOON)
    control.cancel(send.pk, who="ada")
    Recurrence.objects.update(active=False)

    upkeep.keep_slots()

    assert codes() == []


def test_where_readers_get_it_by_their_own_clocks_it_is_told_before_the_first_of_them() -> None:
    edition, send = sent_by_hand(timedelta(hours=10))
    Recurrence.objects.update(local_time=True)
    make_subscriber(send.lists.get(), timezone="Asia/Tokyo")
    control.cancel(send.pk, who="ada")

    upkeep.keep(edition.publication)

    assert codes() == ["slot_unapproved"]


def test_of_a_slot_that_is_over_or_that_its_edition_has_left_nobody_is_told_that_nothing_goes_out() -> None:
    edition, send = sent_by_hand(SOON)
    control.cancel(send.pk, who="ada")

    upkeep.keep(edition.publication, now=edition.slot + timedelta(minutes=1))
    Edition.objects.filter(pk=edition.pk).update(slot=None)
    upkeep.keep(edition.publication)

    assert codes() == []
