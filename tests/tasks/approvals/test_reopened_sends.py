"""What becomes of a send when its edition is reopened."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, Event
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from composer.approval import ApprovalRefusedError
from composer.models import Edition
from tasks.alarms import raising
from tasks.approvals import releasing, reopened_sends
from tasks.approvals.approving import approve_edition, reopen_edition
from tasks.models import Alarm, Batch, Send, Slot, TransactionalMail
from tasks.preparation import preparing
from tasks.sends import control, database_doubts, database_moved
from tasks.sends.counts import as_json
from tasks.sends.scheduling import schedule
from tasks.slots import upkeep
from tests.factories import make_editor, make_list, make_publication, make_subscriber
from tests.tasks.slots.weekly import make_approved, make_draft, make_weekly, slot_of
from tests.waiting import LONG

DAY = timedelta(days=1)


@pytest.fixture
def edition(db: None) -> Edition:
    made = make_draft(make_publication(), None)
    approve_edition(made, None)
    return made


@pytest.fixture
def ada(django_user_model: Any) -> Any:
    return django_user_model.objects.create_user("ada")


def scheduled(edition: Edition, *, ahead: timedelta = DAY) -> Send:
    readers = make_list(edition.publication)
    make_subscriber(readers)
    return schedule(edition, lists=[readers], at=timezone.now() + ahead)


def history(send: Send) -> list[str]:
    return list(send.actions.values_list("what", flat=True))


def test_reopening_holds_it_and_approving_again_gives_it_back(edition: Edition, ada: Any) -> None:
    send = scheduled(edition)
    at = send.scheduled_at

    reopen_edition(edition, ada)

    send.refresh_from_db()
    assert (send.status, send.held_at is not None) == ("paused", True)
    assert "ada reopened the edition" in send.pause_reason
    assert not control.resume(send.pk)
    edition.subject = "Better words"
    edition.save_revision(clean=False)
    approval = approve_edition(edition, ada)

    send.refresh_from_db()
    assert (send.status, send.held_at, send.pause_reason) == ("scheduled", None, "")
    assert (send.approval, send.scheduled_at) == (approval, at)
    assert history(send) == ["scheduled", "held", "restored"]
    assert send.actions.get(what="held").by == ada
    Send.objects.update(scheduled_at=timezone.now())
    assert preparing.prepare(send.pk)
    assert Batch.objects.get().variant.subject == "Better words"


def test_a_send_that_a_person_had_paused_stays_paused(edition: Edition) -> None:
    send = scheduled(edition)
    control.pause(send.pk, "Wait for the minister.")

    reopen_edition(edition, None)
    assert not control.resume(send.pk)
    approve_edition(edition, None)

    send.refresh_from_db()
    assert (send.status, send.held_at, send.pause_reason) == ("paused", None, "Wait for the minister.")
    assert control.resume(send.pk)


def test_reopened_twice_it_is_still_given_back(edition: Edition) -> None:
    send = scheduled(edition)
    for _ in range(2):
        reopen_edition(edition, None)
        approve_edition(edition, None)

    send.refresh_from_db()
    assert send.status == "scheduled"
    assert history(send) == ["scheduled", "held", "restored", "held", "restored"]


@pytest.mark.parametrize("paused", [False, True])
def test_what_is_under_way_stays_closed(edition: Edition, paused: bool) -> None:
    send = scheduled(edition, ahead=-DAY)
    assert preparing.prepare(send.pk)
    if paused:
        control.pause(send.pk, "lunch")

    with pytest.raises(ApprovalRefusedError, match="cancel it first"):
        reopen_edition(edition, None)

    assert edition.approval is not None


def test_one_send_under_way_leaves_the_others_as_they_are(edition: Edition) -> None:
    waiting, under_way = scheduled(edition), scheduled(edition, ahead=-DAY)
    assert preparing.prepare(under_way.pk)

    with pytest.raises(ApprovalRefusedError):
        reopen_edition(edition, None)

    waiting.refresh_from_db()
    assert (waiting.status, waiting.held_at) == ("scheduled", None)


def overdue(edition: Edition) -> Send:
    """Reopened before its time, approved again after it."""
    send = scheduled(edition)
    reopen_edition(edition, None)
    Send.objects.update(scheduled_at=timezone.now() - timedelta(minutes=5))
    approve_edition(edition, None)
    send.refresh_from_db()
    return send


def test_approved_again_too_late_a_person_is_asked(edition: Edition) -> None:
    send = overdue(edition)

    assert (send.status, send.held_at is not None, send.approval) == ("paused", True, edition.approval)
    assert "it can go out now, or with the next slot" in send.pause_reason
    assert f"newsdesk release {send.pk} --now" in as_json(send)["reason"]
    alarm = Alarm.objects.get(code="send_held", cleared_at=None)
    assert (alarm.send, alarm.edition) == (send, edition)
    assert not control.resume(send.pk)
    assert preparing.prepare_due() == 0


def test_released_now_it_goes_out(edition: Edition, ada: Any) -> None:
    send = overdue(edition)

    releasing.release_now(send.pk, by=ada)

    assert preparing.prepare(send.pk)
    assert history(send)[-2:] == ["released", "prepared"]
    assert not Alarm.objects.filter(code="send_held", cleared_at=None).exists()
    with pytest.raises(releasing.ReleaseError, match="not held"):
        releasing.release_now(send.pk)


def test_while_the_edition_is_a_draft_nothing_is_released(edition: Edition) -> None:
    send = scheduled(edition)
    reopen_edition(edition, None)

    with pytest.raises(releasing.ReleaseError, match="is not approved"):
        releasing.release_now(send.pk)


def test_without_a_weekly_slot_there_is_no_next_one(edition: Edition) -> None:
    send = overdue(edition)

    with pytest.raises(releasing.ReleaseError, match="no weekly slot"):
        releasing.release_to_next_slot(send.pk)

    send.refresh_from_db()
    assert send.held_at is not None


def test_a_send_that_does_not_exist_is_not_held(db: None) -> None:
    with pytest.raises(releasing.ReleaseError, match="send 404 is not held"):
        releasing.release_now(404)


@pytest.mark.parametrize("local", [False, True])
def test_released_to_the_next_slot_the_waiting_draft_makes_way(db: None, local: bool) -> None:
    publication = make_weekly(ahead=2 * DAY)
    next_slot = slot_of(publication, ahead=2 * DAY)
    edition = make_draft(publication, timezone.now() - DAY)
    approve_edition(edition, None)
    readers = make_list(publication)
    make_subscriber(readers, timezone="Asia/Tokyo")
    when: dict[str, Any] = {"local_at": timezone.now().replace(tzinfo=None) + DAY} if local else {}
    send = schedule(edition, lists=[readers], at=None if local else timezone.now() + DAY, **when)
    upkeep.keep_slots()
    draft = Edition.objects.get(slot=next_slot)
    reopen_edition(edition, None)
    Send.objects.update(scheduled_at=timezone.now() - timedelta(minutes=1))
    approve_edition(edition, None)

    releasing.release_to_next_slot(send.pk)

    for row in (send, edition, draft):
        row.refresh_from_db()
    assert edition.slot == next_slot
    assert draft.slot == next_slot + 7 * DAY
    assert edition.approval == send.approval
    assert (send.status, send.slot.at) == ("scheduled", next_slot)
    assert send.scheduled_at == (next_slot - timedelta(hours=9) if local else next_slot)
    upkeep.keep_slots()
    assert Send.objects.count() == 1


def test_an_approved_edition_makes_no_way(db: None) -> None:
    publication = make_weekly(ahead=2 * DAY)
    next_slot = slot_of(publication, ahead=2 * DAY)
    make_approved(publication, next_slot)
    edition = make_draft(publication, None)
    approve_edition(edition, None)
    send = overdue(edition)

    releasing.release_to_next_slot(send.pk)

    edition.refresh_from_db()
    assert edition.slot == next_slot + 7 * DAY


def test_released_to_the_next_slot_an_edition_that_has_it_goes_out_with_it(db: None) -> None:
    publication = make_weekly(ahead=2 * DAY)
    next_slot = slot_of(publication, ahead=2 * DAY)
    edition = make_draft(publication, next_slot)
    approve_edition(edition, None)
    send = overdue(edition)

    releasing.release_to_next_slot(send.pk)

    send.refresh_from_db()
    assert (send.scheduled_at, send.slot.at) == (next_slot, next_slot)


def test_a_slot_that_was_missed_stays_so_when_its_send_goes_out_with_the_next(db: None) -> None:
    publication = make_weekly(ahead=2 * DAY)
    over = slot_of(publication, ahead=2 * DAY) - 7 * DAY
    edition = make_draft(publication, over)
    approve_edition(edition, None)
    send = overdue(edition)
    Slot.objects.create(publication=publication, at=over, edition=edition, send=send, outcome="missed")

    releasing.release_to_next_slot(send.pk)

    assert list(Slot.objects.order_by("at").values_list("at", "outcome", "send")) == [
        (over, "missed", None),
        (over + 7 * DAY, "", send.pk),
    ]


@pytest.mark.django_db(transaction=True)
def test_reopening_and_preparing_at_once_ends_in_one_or_the_other() -> None:
    for _ in range(4):
        edition = make_draft(make_publication(), None)
        approve_edition(edition, None)
        send = scheduled(edition, ahead=-timedelta(seconds=1))
        start = Barrier(2)

        def run(work: Any) -> Any:
            start.wait()  # noqa: B023 - it runs within the iteration
            try:
                return work()
            except ApprovalRefusedError as refused:
                return refused
            finally:
                connection.close()

        with ThreadPoolExecutor(2) as pool:
            reopened, prepared = pool.map(
                run,
                [lambda: reopen_edition(edition, None), lambda: preparing.prepare(send.pk)],  # noqa: B023
            )
        send.refresh_from_db()
        if prepared is None:
            assert not isinstance(reopened, ApprovalRefusedError)
            assert (send.status, edition.approval) == ("paused", None)
        else:
            assert isinstance(reopened, ApprovalRefusedError)
            assert edition.approval is not None


@pytest.mark.django_db(transaction=True)
def test_reopening_waits_for_no_preparation_that_waits_for_it(
    django_user_model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A preparation that pauses its send writes to the editors, and their mails refer to the edition."""
    django_user_model.objects.create_superuser("eve", "eve@example.com")
    edition = make_draft(make_publication(), None)
    approve_edition(edition, None)
    send = scheduled(edition, ahead=-timedelta(seconds=1))
    Send.objects.update(timeline=9999)
    send_locked, edition_locked = Event(), Event()
    moved, hold = database_moved.pause_for_moved_database, reopened_sends.hold_sends

    def pause_later(*args: Any, **kwargs: Any) -> None:
        send_locked.set()
        edition_locked.wait(LONG)
        moved(*args, **kwargs)

    def hold_later(*args: Any, **kwargs: Any) -> list[Send]:
        edition_locked.set()
        return hold(*args, **kwargs)

    monkeypatch.setattr(database_moved, "pause_for_moved_database", pause_later)
    monkeypatch.setattr(reopened_sends, "hold_sends", hold_later)

    def prepared() -> Any:
        try:
            return preparing.prepare(send.pk)
        finally:
            connection.close()

    def reopened() -> None:
        send_locked.wait(LONG)
        try:
            reopen_edition(edition, None)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        for work in [pool.submit(prepared), pool.submit(reopened)]:
            work.result()

    send.refresh_from_db()
    assert send.status == "paused"
    assert TransactionalMail.objects.filter(edition=edition, kind="alarm").count() == 1
    assert edition.approval is None


def test_a_send_whose_database_was_restored_is_not_released(edition: Edition) -> None:
    send = scheduled(edition, ahead=-timedelta(hours=1))
    database_moved.pause_for_moved_database(send.pk)
    reopen_edition(edition, None)
    approve_edition(edition, None)

    with pytest.raises(releasing.ReleaseError, match="schedule it again"):
        releasing.release_now(send.pk)

    assert not control.resume(send.pk)
    send.refresh_from_db()
    assert send.status == "paused"


def test_a_held_send_that_may_be_out_stays_held_before_its_time(edition: Edition) -> None:
    """The backup has it held; since then its edition was sent by hand. Seen to or not, the alarm holds."""
    send = scheduled(edition)
    reopen_edition(edition, None)
    database_moved.pause_for_moved_database(send.pk)
    for alarm in Alarm.objects.filter(cleared_at=None):
        raising.clear(alarm.pk, who="ada")

    approve_edition(edition, None)

    send.refresh_from_db()
    assert (send.status, send.pause_reason) == ("paused", database_doubts.MAY_BE_OUT)
    assert Alarm.objects.filter(send=send, code="ground_moved", cleared_at=None).exists()
    assert not control.resume(send.pk)
    assert control.cancel(send.pk)


def test_a_held_send_whose_time_comes_tells_somebody_once(edition: Edition, ada: Any) -> None:
    """Whoever reopened it may have gone home: at its time nothing would happen, and nobody would know."""
    send = scheduled(edition)
    reopen_edition(edition, ada)
    preparing.prepare_due()
    assert not Alarm.objects.exists()
    Send.objects.filter(pk=send.pk).update(scheduled_at=timezone.now())

    preparing.prepare_due()
    preparing.prepare_due()

    alarm = Alarm.objects.get()
    assert (alarm.code, alarm.send_id) == ("send_held", send.pk)
    assert "was reopened before" in alarm.message

    approve_edition(edition, None)
    assert "shall it go out now" in Alarm.objects.get(cleared_at=None).message
    preparing.prepare_due()
    assert Alarm.objects.count() == 2
    assert control.cancel(send.pk)
    assert not Alarm.objects.filter(cleared_at=None).exists()


def test_held_over_its_time_a_second_time_it_tells_the_editors_again_by_mail(edition: Edition) -> None:
    make_editor()
    scheduled(edition)
    for mails in (1, 2):
        Send.objects.update(scheduled_at=timezone.now() + DAY)
        reopen_edition(edition, None)
        Send.objects.update(scheduled_at=timezone.now())
        preparing.prepare_due()
        assert TransactionalMail.objects.filter(edition=edition, kind="alarm").count() == mails
        Send.objects.update(scheduled_at=timezone.now() + DAY)
        approve_edition(edition, None)
