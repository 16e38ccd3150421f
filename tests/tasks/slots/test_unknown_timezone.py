"""A timezone that this machine no longer knows: a person is told, and what needs its clock waits."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from composer.models import Edition, Publication
from tasks.models import Alarm, Send, Slot, TransactionalMail
from tasks.preparation import preparing
from tasks.sends.scheduling import SchedulingError, schedule
from tasks.slots import recurrence, slot_outcomes, upkeep
from tests.factories import make_editor, make_list, make_send
from tests.tasks.slots.weekly import codes, make_approved, make_weekly, outcome, recurring, slot_of

pytestmark = pytest.mark.django_db
GONE = "US/Gone"
HOUR = timedelta(hours=1)


def rename(publication: Publication, name: str = GONE) -> None:
    Publication.objects.filter(pk=publication.pk).update(timezone=name)


def test_its_slots_wait_with_one_alarm_and_go_on_with_another_timezone() -> None:
    make_editor()
    publication, other = make_weekly(ahead=HOUR), make_weekly(ahead=timedelta(days=3))
    recurring(publication)
    edition = make_approved(publication, slot_of(publication, ahead=HOUR))
    rename(publication)

    upkeep.keep_slots()
    upkeep.keep_slots()
    slot_outcomes.decide(edition.pk)

    alarm = Alarm.objects.get()
    assert (alarm.code, alarm.publication) == ("timezone_unknown", publication)
    assert "The timezone US/Gone of The Weekly is not known on this machine any more." in alarm.message
    assert TransactionalMail.objects.get().subject == "Newsdesk: The Weekly: its timezone is not known any more"
    assert not Slot.objects.filter(publication=publication).exists()
    assert not Send.objects.exists()
    assert Edition.objects.filter(publication=other).exists(), "nobody else waits"

    rename(publication, "UTC")
    upkeep.keep_slots()

    assert codes() == []
    assert Send.objects.get().edition == edition


def test_a_slots_send_that_is_due_waits_and_is_not_paused() -> None:
    publication = make_weekly(ahead=HOUR)
    recurring(publication)
    edition = make_approved(publication, slot_of(publication, ahead=HOUR))
    upkeep.keep_slots()
    Send.objects.update(scheduled_at=timezone.now() - timedelta(minutes=1))
    rename(publication)

    assert preparing.prepare_due() == 0
    assert Send.objects.get().status == "scheduled"

    rename(publication, "UTC")
    assert preparing.prepare_due() == 1
    assert outcome(edition) != "missed"


def test_a_send_at_the_readers_local_time_waits_and_one_that_needs_no_clock_does_not() -> None:
    local, plain = make_send(1, local_at="2026-01-02T08:00:00"), make_send(1)
    rename(local.edition.publication)
    rename(plain.edition.publication)

    assert preparing.prepare_due() == 1

    local.refresh_from_db()
    plain.refresh_from_db()
    assert local.status == "scheduled"
    assert plain.prepared_at is not None


def test_nothing_is_scheduled_on_a_clock_that_nobody_knows() -> None:
    publication = make_weekly(ahead=HOUR)
    edition = make_approved(publication, slot_of(publication, ahead=HOUR))
    rename(publication)
    edition = Edition.objects.get(pk=edition.pk)
    readers = [make_list(edition.publication)]

    for when in ({"at": timezone.now() + HOUR}, {"local_at": datetime(2030, 1, 2, 8)}):
        with pytest.raises(SchedulingError, match="the timezone US/Gone of The Weekly is not known"):
            schedule(edition, lists=readers, **when)  # type: ignore[arg-type]  # one of the two
    with pytest.raises(recurrence.NoWeeklySlotError):
        recurrence.recur(edition.publication, lists=readers)
    assert schedule(edition, lists=readers).status == "scheduled"


@pytest.mark.parametrize("name", [GONE, "", "America", "../etc/passwd"])
def test_its_times_are_shown_in_utc_and_say_so(name: str) -> None:
    publication = Publication(timezone=name)
    assert (str(publication.zone), publication.has_known_zone) == ("UTC", False)
    assert Publication(timezone="Asia/Singapore").has_known_zone
