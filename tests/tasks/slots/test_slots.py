"""The weekly run: drafts, the slot's send, warnings, and slots that were missed."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone

from composer.models import Edition, Holiday, Publication
from composer.slots import next_slot
from tasks.approvals.approving import approve_edition, reopen_edition
from tasks.models import Alarm, Recurrence, Send, Slot
from tasks.preparation import preparing
from tasks.sends import control
from tasks.sends.scheduling import schedule
from tasks.slots import holidays, recurrence, slot_outcomes, upkeep
from tests.factories import make_list, make_segment, make_subscriber
from tests.tasks.slots.weekly import make_approved, make_draft, make_weekly, slot_of

HOUR = timedelta(hours=1)
WEEK = timedelta(days=7)


def recurring(publication: Publication, **fields: Any) -> Recurrence:
    """As if it had been so for a year, without what it does at once."""
    recurrence = Recurrence.objects.create(publication=publication, **fields)
    Recurrence.objects.update(created_at=F("created_at") - timedelta(days=365))
    recurrence.lists.set([make_list(publication)])
    recurrence.refresh_from_db()
    return recurrence


def outcome(edition: Edition, slot: Any = None) -> str:
    return Slot.objects.get(publication=edition.publication, at=slot or edition.slot).outcome


def codes() -> list[str]:
    return list(Alarm.objects.filter(cleared_at=None).order_by("pk").values_list("code", flat=True))


# Drafts


@pytest.mark.django_db
def test_the_next_slot_has_a_draft_and_only_one() -> None:
    publication = make_weekly(ahead=timedelta(days=3))

    upkeep.keep_slots()
    upkeep.keep_slots()

    draft = Edition.objects.get()
    assert (draft.slot, draft.title, draft.approval) == (
        slot_of(publication, ahead=timedelta(days=3)),
        "The Weekly",
        None,
    )
    assert not Send.objects.exists()
    assert codes() == []


@pytest.mark.django_db
def test_a_draft_whose_slot_is_over_moves_on_once_it_is_given_up() -> None:
    publication = make_weekly(ahead=-HOUR)
    draft = make_draft(publication, slot_of(publication, ahead=-HOUR))

    upkeep.keep(publication)
    draft.refresh_from_db()
    # It may still go out late, or by hand; until then there is no other.
    assert draft.slot < timezone.now()
    assert Edition.objects.count() == 1

    upkeep.keep(publication, now=timezone.now() + 13 * HOUR)
    draft.refresh_from_db()
    assert draft.slot == next_slot(publication, timezone.now())
    assert Edition.objects.count() == 1
    assert codes() == []


@pytest.mark.django_db
def test_it_stays_where_it_is_when_the_next_slot_is_taken() -> None:
    publication = make_weekly(ahead=-HOUR)
    over = slot_of(publication, ahead=-HOUR)
    draft = make_draft(publication, over)
    make_draft(publication, next_slot(publication, timezone.now()))

    upkeep.keep(publication, now=timezone.now() + 13 * HOUR)

    draft.refresh_from_db()
    assert draft.slot == over


@pytest.mark.django_db
def test_a_publication_without_a_weekly_slot_is_left_alone() -> None:
    publication = make_weekly(ahead=HOUR)
    Publication.objects.update(cadence_weekday=None, cadence_time=None)

    upkeep.keep_slots()

    assert not Edition.objects.filter(publication=publication).exists()


@pytest.mark.django_db
def test_what_fails_for_one_publication_keeps_no_other_waiting() -> None:
    broken, fine = make_weekly(ahead=HOUR, title="A"), make_weekly(ahead=HOUR, title="B")
    Publication.objects.filter(pk=broken.pk).update(timezone="Mars/Olympus")

    upkeep.keep_slots()

    assert Edition.objects.get().publication == fine


# The slot's send


@pytest.mark.django_db
def test_an_approved_edition_is_scheduled_for_its_slot_once() -> None:
    publication = make_weekly(ahead=timedelta(days=2))
    segment = make_segment(publication, {"field": "tags", "op": "has_any", "value": ["vip"]})
    recurrence = recurring(publication, segment=segment)
    edition = make_approved(publication, slot_of(publication, ahead=timedelta(days=2)))

    upkeep.keep_slots()
    upkeep.keep_slots()

    send = Send.objects.get()
    assert (send.edition, send.scheduled_at, send.segment_rule) == (edition, edition.slot, segment.rule)
    assert list(send.lists.all()) == list(recurrence.lists.all())
    assert Slot.objects.get(send=send).at == edition.slot
    assert send.actions.get().who == "Newsdesk"


@pytest.mark.django_db
def test_approving_schedules_it_at_once_and_clears_the_warning() -> None:
    publication = make_weekly(ahead=HOUR)
    recurring(publication)
    edition = make_draft(publication, slot_of(publication, ahead=HOUR))
    upkeep.keep_slots()
    assert codes() == ["slot_unapproved"]

    approve_edition(edition, None)

    assert Send.objects.get().scheduled_at == edition.slot
    assert codes() == []


@pytest.mark.django_db
def test_a_local_time_slot_is_that_time_where_each_reader_is() -> None:
    publication = make_weekly(ahead=timedelta(days=2))
    recurrence = recurring(publication, local_time=True)
    make_subscriber(recurrence.lists.get(), timezone="Asia/Tokyo")
    edition = make_approved(publication, slot_of(publication, ahead=timedelta(days=2)))

    upkeep.keep_slots()

    send = Send.objects.get()
    assert send.local_at == edition.slot.replace(tzinfo=None).isoformat()
    assert send.scheduled_at == edition.slot - 9 * HOUR


@pytest.mark.django_db
def test_whoever_cancels_the_slots_send_means_it() -> None:
    publication = make_weekly(ahead=timedelta(days=2))
    recurring(publication)
    edition = make_approved(publication, slot_of(publication, ahead=timedelta(days=2)))
    upkeep.keep_slots()
    control.cancel(Send.objects.get().pk)

    upkeep.keep_slots()
    upkeep.keep_slots(now=timezone.now() + timedelta(days=3))

    assert Send.objects.count() == 1
    assert outcome(edition) == "skipped"


@pytest.mark.django_db
def test_an_edition_that_a_person_sends_to_those_lists_is_not_sent_again() -> None:
    publication = make_weekly(ahead=timedelta(days=2))
    recurrence = recurring(publication)
    edition = make_approved(publication, slot_of(publication, ahead=timedelta(days=2)))
    schedule(edition, lists=list(recurrence.lists.all()))

    upkeep.keep_slots()

    assert Send.objects.count() == 1
    assert outcome(edition) == "skipped"


@pytest.mark.django_db
def test_a_send_to_another_list_does_not_count() -> None:
    publication = make_weekly(ahead=timedelta(days=2))
    recurring(publication)
    edition = make_approved(publication, slot_of(publication, ahead=timedelta(days=2)))
    schedule(edition, lists=[make_list(publication, "colleagues")])

    upkeep.keep_slots()

    assert Send.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_two_beats_at_once_schedule_it_once_and_make_one_draft() -> None:
    publication = make_weekly(ahead=timedelta(days=2))
    recurring(publication)
    make_approved(publication, slot_of(publication, ahead=timedelta(days=2)))
    drafted = make_weekly(ahead=timedelta(days=2), title="Drafted")

    together(upkeep.keep_slots, times=4)

    assert Send.objects.count() == 1
    assert Edition.objects.filter(publication=drafted).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_beat_and_an_approval_at_once_schedule_it_once() -> None:
    publication = make_weekly(ahead=timedelta(days=2))
    recurring(publication)
    edition = make_draft(publication, slot_of(publication, ahead=timedelta(days=2)))

    together(lambda: approve_edition(edition, None), upkeep.keep_slots, upkeep.keep_slots)

    upkeep.keep_slots()
    assert Send.objects.count() == 1


def together(*works: Callable[[], object], times: int = 1) -> None:
    """Run them all at once, each over a connection of its own."""
    all_of_them = works * times
    start = Barrier(len(all_of_them))

    def run(work: Callable[[], object]) -> None:
        start.wait()
        try:
            work()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(all_of_them)) as pool:
        list(pool.map(run, all_of_them))


@pytest.mark.django_db(transaction=True)
def test_a_crash_in_the_middle_leaves_nothing_and_the_next_beat_does_it(monkeypatch: pytest.MonkeyPatch) -> None:
    publication = make_weekly(ahead=timedelta(days=2))
    recurring(publication)
    edition = make_approved(publication, slot_of(publication, ahead=timedelta(days=2)))
    with monkeypatch.context() as patch:
        patch.setattr(Slot, "save", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            slot_outcomes.decide(edition.pk)
    assert not Send.objects.exists()
    assert not Slot.objects.exists()

    upkeep.keep_slots()

    assert Slot.objects.get().send == Send.objects.get()


# The warning


@pytest.mark.django_db
@pytest.mark.parametrize(("ahead", "warned"), [(timedelta(hours=3), []), (timedelta(hours=2), ["slot_unapproved"])])
def test_two_hours_before_its_slot_a_draft_raises_an_alarm_once(ahead: timedelta, warned: list[str]) -> None:
    publication = make_weekly(ahead=ahead)
    draft = make_draft(publication, slot_of(publication, ahead=ahead))

    upkeep.keep_slots()
    Alarm.objects.update(message="seen")
    upkeep.keep_slots()

    assert codes() == warned
    assert [alarm.edition for alarm in Alarm.objects.all()] == [draft] * len(warned)


@pytest.mark.django_db
def test_for_a_local_time_slot_it_is_two_hours_before_the_first_readers_time() -> None:
    publication = make_weekly(ahead=10 * HOUR)
    recurrence = recurring(publication, local_time=True)
    make_draft(publication, slot_of(publication, ahead=10 * HOUR))
    upkeep.keep_slots()
    assert codes() == []
    make_subscriber(recurrence.lists.get(), timezone="Asia/Tokyo")

    upkeep.keep_slots()

    assert codes() == ["slot_unapproved"]


@pytest.mark.django_db
def test_an_edition_that_was_reopened_shortly_before_its_slot_raises_it_too() -> None:
    publication = make_weekly(ahead=HOUR)
    recurring(publication)
    edition = make_draft(publication, slot_of(publication, ahead=HOUR))
    approve_edition(edition, None)
    upkeep.keep_slots()
    assert codes() == []

    reopen_edition(edition, None)
    upkeep.keep_slots()

    assert codes() == ["slot_unapproved"]
    approve_edition(edition, None)
    assert codes() == []
    assert Send.objects.get().status == "scheduled"


# Missed slots


@pytest.mark.django_db
def test_approved_a_little_too_late_it_is_sent_at_once() -> None:
    publication = make_weekly(ahead=-HOUR)
    recurring(publication, late_minutes=90)
    edition = make_draft(publication, slot_of(publication, ahead=-HOUR))

    approve_edition(edition, None)

    assert preparing.prepare(Send.objects.get().pk)
    assert outcome(edition) == "late"
    assert codes() == []


@pytest.mark.django_db
@pytest.mark.parametrize("late_minutes", [0, 30])
def test_approved_much_too_late_it_is_missed_and_stays_approved(late_minutes: int) -> None:
    publication = make_weekly(ahead=-HOUR)
    recurrence = recurring(publication, late_minutes=late_minutes)
    edition = make_approved(publication, slot_of(publication, ahead=-HOUR))

    upkeep.keep_slots()
    upkeep.keep_slots()

    assert not Send.objects.exists()
    assert outcome(edition) == "missed"
    assert edition.approval is not None
    assert codes() == ["slot_missed"]
    schedule(edition, lists=list(recurrence.lists.all()))
    upkeep.keep_slots()
    assert codes() == []


@pytest.mark.django_db
def test_never_approved_it_is_missed_and_moves_to_the_next_slot() -> None:
    publication = make_weekly(ahead=-HOUR)
    recurring(publication, late_minutes=30)
    over = slot_of(publication, ahead=-HOUR)
    draft = make_draft(publication, over)

    upkeep.keep_slots()

    draft.refresh_from_db()
    assert outcome(draft, over) == "missed"
    assert draft.slot == over + WEEK
    assert codes() == ["slot_missed"]
    approve_edition(draft, None)
    assert Send.objects.get().scheduled_at == over + WEEK


@pytest.mark.django_db
def test_after_a_send_by_hand_and_no_second_approval_it_is_missed_and_stays_what_it_is() -> None:
    publication = make_weekly(ahead=-HOUR)
    recurring(publication, late_minutes=30)
    over = slot_of(publication, ahead=-HOUR)
    edition = make_draft(publication, None)
    approve_edition(edition, None)
    by_hand = schedule(edition, lists=[make_list(publication, "colleagues")])
    assert preparing.prepare(by_hand.pk)
    reopen_edition(edition, None)
    Edition.objects.update(slot=over)

    upkeep.keep(publication)

    edition.refresh_from_db()
    assert (edition.slot, outcome(edition)) == (over, "missed")
    assert codes() == ["slot_missed"]


@pytest.mark.django_db
def test_held_until_its_slot_was_over_it_is_missed() -> None:
    publication = make_weekly(ahead=timedelta(days=2))
    recurring(publication, late_minutes=30)
    edition = make_draft(publication, slot_of(publication, ahead=timedelta(days=2)))
    approve_edition(edition, None)
    reopen_edition(edition, None)
    past = timezone.now() - HOUR
    Edition.objects.update(slot=past)
    Slot.objects.update(at=past)
    Send.objects.update(scheduled_at=past)

    slot_outcomes.decide(edition.pk)
    approve_edition(edition, None)

    assert outcome(edition, past) == "missed"
    assert codes() == ["slot_missed", "send_held"]
    assert Send.objects.get().held_at is not None


@pytest.mark.django_db
def test_after_a_long_night_the_send_of_the_slot_waits_for_a_person() -> None:
    send = sleeping_machine(hours=13)

    assert preparing.prepare(send.pk) is None

    send.refresh_from_db()
    assert (send.status, send.held_at is not None) == ("paused", True)
    assert "missed by 13 hours" in send.pause_reason
    assert outcome(send.edition, send.scheduled_at) == "missed"
    assert codes() == ["slot_missed"]
    assert not control.resume(send.pk)
    assert preparing.prepare_due() == 0


@pytest.mark.django_db
def test_after_a_short_one_it_goes_out_late() -> None:
    send = sleeping_machine(hours=11)

    assert preparing.prepare(send.pk)

    upkeep.keep_slots()
    assert outcome(send.edition, send.scheduled_at) == "late"
    assert codes() == []


@pytest.mark.django_db
def test_on_time_it_is_sent_even_where_nothing_may_be_late() -> None:
    send = sleeping_machine(hours=0, minutes=2)
    Recurrence.objects.update(late_minutes=0)

    assert preparing.prepare(send.pk)

    upkeep.keep_slots()
    assert outcome(send.edition, send.scheduled_at) == "sent"


@pytest.mark.django_db
def test_whoever_resumes_a_paused_slot_has_decided() -> None:
    send = sleeping_machine(hours=13)
    send.actions.create(what="resumed", who="ada")

    assert preparing.prepare(send.pk)


@pytest.mark.django_db
def test_a_send_by_hand_is_never_too_late() -> None:
    publication = make_weekly(ahead=timedelta(days=2))
    edition = make_approved(publication, slot_of(publication, ahead=timedelta(days=2)))
    send = schedule(edition, lists=[make_list(publication)], at=timezone.now() - timedelta(days=4))

    assert preparing.prepare(send.pk)


def sleeping_machine(*, hours: float, minutes: float = 0) -> Send:
    """A send of a slot that was so long ago, scheduled in time; nothing ran since."""
    publication = make_weekly(ahead=timedelta(days=2))
    recurring(publication)
    edition = make_approved(publication, slot_of(publication, ahead=timedelta(days=2)))
    upkeep.keep_slots()
    send = Send.objects.get()
    past = timezone.now() - timedelta(hours=hours, minutes=minutes)
    Edition.objects.filter(pk=edition.pk).update(slot=past)
    Slot.objects.update(at=past)
    Send.objects.update(scheduled_at=past)
    send.refresh_from_db()
    return send


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
def test_begun_again_it_leaves_alone_what_was_over_meanwhile() -> None:
    publication = make_weekly(ahead=-HOUR)
    weekly = recurring(publication)
    assert recurrence.stop_recurring(publication)
    make_approved(publication, slot_of(publication, ahead=-HOUR))

    recurrence.recur(publication, lists=list(weekly.lists.all()))

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
