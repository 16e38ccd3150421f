"""Recurrences, holidays, and editions that change their slot."""

from datetime import datetime, timedelta

import pytest

from composer.models import Edition, Holiday, Publication
from tasks.approvals.approving import approve_edition, reopen_edition
from tasks.models import Alarm, Send, Slot
from tasks.preparation import lateness
from tasks.sends.scheduling import schedule
from tasks.slots import holidays, recurrence, upkeep
from tests.factories import make_list
from tests.tasks.slots.weekly import codes, make_approved, make_draft, make_weekly, outcome, recurring, slot_of

HOUR = timedelta(hours=1)


WEEK = timedelta(days=7)


# Drafts


@pytest.mark.django_db
def test_slots_before_the_recurrence_are_none_of_its_business() -> None:
    publication = make_weekly(ahead=-HOUR)
    edition = make_approved(publication, slot_of(publication, ahead=-HOUR))

    recurrence.recur(publication, lists=[make_list(publication)])
    upkeep.keep_slots()

    assert not Send.objects.exists()
    assert not Slot.objects.exists()
    assert edition.approval is not None


@pytest.mark.django_db
def test_a_draft_for_a_slot_before_the_recurrence_moves_on_without_a_word() -> None:
    publication = make_weekly(ahead=-HOUR)
    over = slot_of(publication, ahead=-HOUR)
    draft = make_draft(publication, over)
    recurrence.recur(publication, lists=[make_list(publication)], late_minutes=30)

    upkeep.keep(publication)

    draft.refresh_from_db()
    assert (draft.slot, outcome(draft, over), codes()) == (over + WEEK, "skipped", [])


@pytest.mark.django_db
def test_begun_again_it_leaves_alone_what_was_over_meanwhile() -> None:
    publication = make_weekly(ahead=-HOUR)
    weekly = recurring(publication)
    assert recurrence.stop_recurring(publication)
    make_approved(publication, slot_of(publication, ahead=-HOUR))

    recurrence.recur(publication, lists=list(weekly.lists.all()))

    assert not Send.objects.exists()


@pytest.mark.django_db
def test_a_recurrence_that_was_stopped_sends_nothing() -> None:
    publication = make_weekly(ahead=timedelta(days=2))
    recurring(publication)
    assert recurrence.stop_recurring(publication)
    make_approved(publication, slot_of(publication, ahead=timedelta(days=2)))

    upkeep.keep_slots()

    assert not Send.objects.exists()


# Holidays


@pytest.mark.django_db
def test_a_holidays_slot_is_left_out_and_its_draft_moves_on() -> None:
    publication = make_weekly(ahead=timedelta(days=3))
    recurring(publication)
    upkeep.keep_slots()
    draft = Edition.objects.get()
    day = draft.slot.date()

    holidays.add_holiday(publication, day, "Founders' Day")

    moved = Edition.objects.get()
    assert moved.slot == draft.slot + WEEK
    assert str(Holiday.objects.get()) == f"{day}: Founders' Day"
    assert holidays.remove_holiday(publication, day)
    assert Edition.objects.filter(slot=draft.slot).exists()
    assert not holidays.remove_holiday(publication, day)


@pytest.mark.django_db
def test_a_day_with_an_approved_edition_is_not_left_out_behind_its_back() -> None:
    publication = make_weekly(ahead=timedelta(days=3))
    edition = make_approved(publication, slot_of(publication, ahead=timedelta(days=3)))

    with pytest.raises(holidays.HolidayError, match="is approved for that day"):
        holidays.add_holiday(publication, edition.slot.date())

    assert not Holiday.objects.exists()


# Reopening


def reopened_with_a_send() -> tuple[Publication, Edition, datetime]:
    """An edition that was approved for a slot in two days and reopened: its send is held."""
    publication = make_weekly(ahead=timedelta(days=2))
    recurring(publication)
    first = slot_of(publication, ahead=timedelta(days=2))
    edition = make_draft(publication, first)
    approve_edition(edition, None)
    reopen_edition(edition, None)
    return publication, edition, first


@pytest.mark.django_db
def test_reopened_and_given_another_slot_its_send_goes_with_it() -> None:
    publication = make_weekly(ahead=timedelta(days=2))
    recurring(publication)
    edition = make_draft(publication, slot_of(publication, ahead=timedelta(days=2)))
    approve_edition(edition, None)
    first = edition.slot
    reopen_edition(edition, None)
    edition.slot = first + WEEK
    edition.save_revision(clean=False)

    approve_edition(edition, None)

    send = Send.objects.get()
    assert (send.status, send.scheduled_at) == ("scheduled", first + WEEK)
    assert Slot.objects.get(send=send).at == first + WEEK
    assert outcome(edition, first) == "skipped"


@pytest.mark.django_db
def test_the_edition_that_takes_a_slot_another_has_left_is_scheduled_for_it() -> None:
    publication = make_weekly(ahead=timedelta(days=2))
    recurring(publication)
    edition = make_draft(publication, slot_of(publication, ahead=timedelta(days=2)))
    approve_edition(edition, None)
    first = edition.slot
    reopen_edition(edition, None)
    edition.slot = first + WEEK
    edition.save_revision(clean=False)
    approve_edition(edition, None)

    other = make_draft(publication, first)
    approve_edition(other, None)
    upkeep.keep_slots()

    assert sorted(Send.objects.values_list("edition", "scheduled_at")) == sorted(
        [(edition.pk, first + WEEK), (other.pk, first)]
    )
    assert Slot.objects.get(at=first).send.edition == other


@pytest.mark.django_db
def test_it_is_so_also_while_the_other_one_is_not_approved_again() -> None:
    """Its send is held, and follows its edition."""
    publication, edition, first = reopened_with_a_send()
    edition.slot = first + WEEK
    edition.save_revision(clean=False)
    other = make_draft(publication, first)
    approve_edition(other, None)

    upkeep.keep_slots()

    held = Send.objects.get(edition=edition)
    assert (held.status, held.scheduled_at, held.slot.at) == ("paused", first + WEEK, first + WEEK)
    mine = Send.objects.get(edition=other)
    assert (mine.status, mine.scheduled_at, mine.slot.at) == ("scheduled", first, first)
    approve_edition(edition, None)
    held.refresh_from_db()
    assert (held.status, held.scheduled_at) == ("scheduled", first + WEEK)


@pytest.mark.django_db
def test_a_held_send_without_a_slot_asks_when_it_shall_go_out() -> None:
    publication, edition, first = reopened_with_a_send()
    Edition.objects.filter(pk=edition.pk).update(slot=None)
    other = make_draft(publication, first)
    approve_edition(other, None)

    upkeep.keep_slots()

    assert Send.objects.get(edition=other).slot.at == first
    lateness.tell_of_held()
    assert "has left its slot" in Alarm.objects.get(code="send_held").message
    edition.refresh_from_db()
    approve_edition(edition, None)
    assert Send.objects.get(edition=edition).status == "paused"
    assert codes() == ["send_held"]


@pytest.mark.django_db
def test_a_held_send_whose_edition_stays_keeps_its_slot() -> None:
    *_, first = reopened_with_a_send()

    upkeep.keep_slots()

    held = Send.objects.get()
    assert (held.status, held.slot.at, held.scheduled_at) == ("paused", first, first)


@pytest.mark.django_db
def test_nobody_is_spared_the_warning_because_of_an_edition_that_has_left_the_slot() -> None:
    publication = make_weekly(ahead=timedelta(hours=1.5))
    recurrence = recurring(publication)
    slot = slot_of(publication, ahead=timedelta(hours=1.5))
    edition = make_draft(publication, slot)
    approve_edition(edition, None)
    Send.objects.all().delete()
    schedule(edition, lists=list(recurrence.lists.all()))
    upkeep.keep_slots()
    Edition.objects.filter(pk=edition.pk).update(slot=None)
    make_draft(publication, slot)

    upkeep.keep_slots()

    assert codes() == ["slot_unapproved"]
