"""Two hours' warning, and what becomes of a slot that was missed."""

from datetime import timedelta

import pytest
from django.utils import timezone

from composer.models import Edition, Publication
from tasks.approvals.approving import approve_edition, reopen_edition
from tasks.models import Alarm, Recurrence, Send, Slot, TransactionalMail
from tasks.preparation import preparing
from tasks.sends import control
from tasks.sends.scheduling import schedule
from tasks.slots import missed_slots, slot_outcomes, upkeep
from tests.factories import make_editor, make_list, make_subscriber
from tests.tasks.slots.weekly import codes, make_approved, make_draft, make_weekly, outcome, recurring, slot_of

HOUR = timedelta(hours=1)


WEEK = timedelta(days=7)


# Drafts


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
    Send.objects.update(scheduled_at=past, created_at=past - timedelta(days=2))
    send.actions.update(at=past - timedelta(days=2))
    send.refresh_from_db()
    return send


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
def test_after_another_send_and_no_second_approval_it_is_missed_and_stays_what_it_is() -> None:
    publication = make_weekly(ahead=-HOUR)
    recurring(publication, late_minutes=30)
    over = slot_of(publication, ahead=-HOUR)
    edition = make_draft(publication, None)
    approve_edition(edition, None)
    test_send = schedule(edition, lists=[make_list(publication, "colleagues")])
    assert preparing.prepare(test_send.pk)
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
def test_the_editors_get_a_mail_before_a_slot_without_an_approval_and_after_it() -> None:
    make_editor()
    publication = make_weekly(ahead=HOUR)
    recurring(publication, late_minutes=30)
    slot = slot_of(publication, ahead=HOUR)
    draft = make_draft(publication, slot)

    for now, mails in ((slot - HOUR, 1), (slot + HOUR, 2)):
        upkeep.keep(publication, now=now)
        assert TransactionalMail.objects.filter(kind="alarm", edition=draft).count() == mails

    assert codes() == ["slot_unapproved", "slot_missed"]


@pytest.mark.django_db
def test_a_slot_is_not_called_missed_while_its_send_may_still_be_prepared() -> None:
    send = sleeping_machine(hours=13)

    upkeep.keep_slots()

    assert (outcome(send.edition, send.scheduled_at), codes()) == ("", [])


# To the microsecond

MOMENT = timedelta(microseconds=1)


@pytest.mark.django_db
@pytest.mark.parametrize(("beyond", "became"), [(timedelta(0), "late"), (MOMENT, "missed")])
def test_approved_exactly_at_the_limit_it_is_late_and_a_moment_later_missed(beyond: timedelta, became: str) -> None:
    publication = make_weekly(ahead=timedelta(days=2))
    recurring(publication, late_minutes=90)
    edition = make_approved(publication, slot_of(publication, ahead=timedelta(days=2)))
    assert edition.slot is not None

    slot_outcomes.decide(edition.pk, now=edition.slot + timedelta(minutes=90) + beyond)

    assert outcome(edition) == became
    assert codes() == (["slot_missed"] if became == "missed" else [])


@pytest.mark.django_db
@pytest.mark.parametrize(("after", "became"), [(-MOMENT, ""), (timedelta(0), ""), (MOMENT, "late")])
def test_until_its_very_moment_it_is_not_late(after: timedelta, became: str) -> None:
    publication = make_weekly(ahead=timedelta(days=2))
    recurring(publication)
    edition = make_approved(publication, slot_of(publication, ahead=timedelta(days=2)))
    assert edition.slot is not None

    slot_outcomes.decide(edition.pk, now=edition.slot + after)

    assert outcome(edition) == became
    assert Send.objects.get().scheduled_at == edition.slot


@pytest.mark.django_db
@pytest.mark.parametrize(("beyond", "became"), [(timedelta(0), None), (MOMENT, "missed")])
def test_unapproved_until_the_limit_it_waits(beyond: timedelta, became: str | None) -> None:
    publication = make_weekly(ahead=timedelta(days=2))
    recurring(publication, late_minutes=90)
    slot = slot_of(publication, ahead=timedelta(days=2))
    edition = make_draft(publication, slot)

    slot_outcomes.decide(edition.pk, now=slot + timedelta(minutes=90) + beyond)

    assert Slot.objects.filter(at=slot).values_list("outcome", flat=True).first() == became


@pytest.mark.django_db
@pytest.mark.parametrize(("late", "became"), [(timedelta(minutes=5), "sent"), (timedelta(minutes=5) + MOMENT, "late")])
def test_five_minutes_after_its_time_it_was_sent_on_time(late: timedelta, became: str) -> None:
    publication = make_weekly(ahead=timedelta(days=2))
    recurring(publication)
    edition = make_approved(publication, slot_of(publication, ahead=timedelta(days=2)))
    upkeep.keep_slots()
    send = Send.objects.get()
    Send.objects.update(prepared_at=send.scheduled_at + late)

    slot_outcomes.decide(edition.pk, now=send.scheduled_at + HOUR)

    assert outcome(edition) == became


@pytest.mark.django_db
@pytest.mark.parametrize(("beyond", "became"), [(timedelta(0), ""), (MOMENT, "missed")])
def test_held_until_the_limit_it_may_still_be_approved_again(beyond: timedelta, became: str) -> None:
    publication = make_weekly(ahead=timedelta(days=2))
    recurring(publication, late_minutes=30)
    edition = make_draft(publication, slot_of(publication, ahead=timedelta(days=2)))
    approve_edition(edition, None)
    reopen_edition(edition, None)
    slot = Slot.objects.get()

    missed_slots.miss_with_held_send(slot, Send.objects.get(), edition, slot.at + timedelta(minutes=30) + beyond)

    assert outcome(edition) == became


@pytest.mark.django_db
@pytest.mark.parametrize(("before", "warned"), [(MOMENT, []), (timedelta(0), ["slot_unapproved"])])
def test_the_first_reader_may_be_26_hours_ahead_of_the_publication(before: timedelta, warned: list[str]) -> None:
    publication = make_weekly(ahead=timedelta(days=3))
    recurrence = recurring(publication, local_time=True)
    make_subscriber(recurrence.lists.get(), timezone="Pacific/Kiritimati")
    Publication.objects.update(timezone="Etc/GMT+12")
    slot = slot_of(publication, ahead=timedelta(days=3))
    edition = make_draft(Publication.objects.get(), slot)

    slot_outcomes.decide(edition.pk, now=slot - 28 * HOUR - before)

    assert codes() == warned
