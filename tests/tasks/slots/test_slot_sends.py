"""The next draft, and the send of a slot: scheduled once, whoever comes first."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

import pytest
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from composer import next_edition
from composer.models import Edition, Publication
from composer.slots import next_slot
from tasks.approvals.approving import approve_edition
from tasks.models import Send, Slot
from tasks.sends import control
from tasks.sends.scheduling import schedule
from tasks.slots import next_draft, slot_outcomes, upkeep
from tests.factories import make_list, make_segment, make_subscriber
from tests.tasks.slots.weekly import codes, make_approved, make_draft, make_weekly, outcome, recurring, slot_of

HOUR = timedelta(hours=1)


# Drafts


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
def test_a_draft_that_another_beat_made_in_between_is_left_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    publication = make_weekly(ahead=timedelta(days=3))
    monkeypatch.setattr(next_edition, "draft_for_slot", lambda _publication, _slot: None)

    next_draft.make_next_draft(publication, timezone.now())

    assert not Edition.objects.exists()


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
@pytest.mark.parametrize("is_approved", [True, False])
def test_an_edition_whose_slot_is_over_and_decided_keeps_no_next_draft_from_being_made(is_approved: bool) -> None:
    publication = make_weekly(ahead=-HOUR)
    over = slot_of(publication, ahead=-HOUR)
    if is_approved:
        make_approved(publication, over)
    else:
        Slot.objects.create(publication=publication, at=over, edition=make_draft(publication, over), outcome="skipped")

    next_draft.make_next_draft(publication, timezone.now())

    assert Edition.objects.filter(slot=over + timedelta(days=7)).exists()


@pytest.mark.django_db
def test_a_draft_that_may_still_go_out_late_keeps_no_other_publication_without_one() -> None:
    late, other = make_weekly(ahead=-HOUR), make_weekly(ahead=HOUR)
    make_draft(late, slot_of(late, ahead=-HOUR))

    next_draft.make_next_draft(other, timezone.now())

    assert Edition.objects.filter(publication=other).exists()


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


@pytest.mark.django_db
def test_an_error_about_one_publication_keeps_no_other_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    broken, fine = make_weekly(ahead=HOUR, title="A"), make_weekly(ahead=HOUR, title="B")
    draft_for_slot = next_edition.draft_for_slot

    def fails_for_one(publication: Publication, slot: datetime) -> Edition | None:
        if publication == broken:
            raise ValueError
        return draft_for_slot(publication, slot)

    monkeypatch.setattr(next_edition, "draft_for_slot", fails_for_one)

    upkeep.keep_slots()

    assert Edition.objects.get().publication == fine


@pytest.mark.django_db
@pytest.mark.parametrize("lost", [OperationalError, InterfaceError])
def test_without_a_database_the_upkeep_ends(lost: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    make_weekly(ahead=HOUR)

    def fails(_publication: Publication, _slot: datetime) -> None:
        raise lost

    monkeypatch.setattr(next_edition, "draft_for_slot", fails)

    with pytest.raises(lost):
        upkeep.keep_slots()


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


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("weekly_to_all", "by_hand_to_all", "sends"),
    [(False, True, 1), (False, False, 1), (True, False, 2), (True, True, 1)],
)
def test_readers_who_have_it_by_hand_get_it_no_second_time_and_the_others_with_the_slot(
    weekly_to_all: bool, by_hand_to_all: bool, sends: int
) -> None:
    publication = make_weekly(ahead=timedelta(days=2))
    some = make_segment(publication, {"field": "tags", "op": "has_any", "value": ["vip"]})
    recurrence = recurring(publication, segment=None if weekly_to_all else some)
    edition = make_approved(publication, slot_of(publication, ahead=timedelta(days=2)))
    lists = [*recurrence.lists.all(), make_list(publication, "colleagues")]
    schedule(edition, lists=lists, segment=None if by_hand_to_all else some)

    upkeep.keep_slots()

    assert Send.objects.count() == sends


@pytest.mark.django_db
def test_the_slot_of_an_edition_is_kept_after_its_publication_has_lost_the_weekday() -> None:
    publication = make_weekly(ahead=timedelta(days=2))
    recurring(publication)
    edition = make_approved(publication, slot_of(publication, ahead=timedelta(days=2)))
    Publication.objects.update(cadence_weekday=None, cadence_time=None)

    upkeep.keep_slots()

    assert Send.objects.get().scheduled_at == edition.slot


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
