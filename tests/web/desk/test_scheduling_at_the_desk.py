"""Approve and schedule: to whom and when, what would happen, and only after “Yes, send it” the send."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from composer.models import Edition, Publication
from composer.slots import next_slot
from newsdesk.core.login_environment import LoginEnvironment
from subscribers.models import List, Subscriber, Subscription, Suppression
from tasks.approvals.approving import approve_edition, reopen_edition
from tasks.models import Send, Slot
from tasks.slots.recurrence import recur
from tests.web.desk.conftest import Make

pytestmark = pytest.mark.integration


@pytest.fixture
def readers(publication: Publication) -> List:
    made = List.objects.create(publication=publication, slug="readers", name="Readers")
    for number in range(12):
        subscriber = Subscriber.objects.create(email=f"reader{number:02}@example.com")
        Subscription.objects.create(list=made, subscriber=subscriber, status="active")
    Subscription.objects.filter(subscriber__email="reader00@example.com").update(status="unsubscribed")
    Suppression.objects.create(address="reader01@example.com", reason="complaint")
    return made


def url(edition: Edition) -> str:
    return reverse("wagtailsnippets_composer_edition:schedule", args=[edition.pk])


def confirmed(desk: Client, edition: Edition, **fields: Any) -> Any:
    """Look at what would happen, and say yes to it."""
    page = desk.post(url(edition), fields)
    assert page.status_code == 200, page.content.decode()
    seen = page.context["seen"]
    return desk.post(
        url(edition),
        {**fields, "confirmed": "1", "revision": seen.revision or "", "send": seen.send or "", "content": seen.content},
        follow=True,
    )


def test_the_dialog_says_exactly_what_would_happen_and_does_nothing(
    desk: Client, edition: Edition, readers: List
) -> None:
    page = desk.post(url(edition), {"lists": readers.pk, "when": "at", "time": "2099-12-01T09:00"})

    text = page.content.decode()
    assert "10 readers of The Weekly on Readers get" in text
    assert "Tuesday 1 December 2099 09:00 Asia/Singapore" in text
    assert page.context["excluded"] == [("complained of spam", 1), ("unsubscribed", 1)]
    assert page.context["expected"].sample == [f"reader{number:02}@example.com" for number in range(2, 12)]
    assert "Yes, send it" in text
    assert not Send.objects.exists()
    assert Edition.objects.get(pk=edition.pk).approval is None


def test_yes_approves_and_schedules(desk: Client, ada: Any, edition: Edition, readers: List) -> None:
    page = confirmed(desk, edition, lists=readers.pk, when="at", time="2099-12-01T09:00")

    send = Send.objects.get()
    assert send.scheduled_at == dt.datetime(2099, 12, 1, 1, tzinfo=dt.UTC)
    assert (list(send.lists.all()), send.created_by) == ([readers], ada)
    assert Edition.objects.get(pk=edition.pk).approval is not None
    text = page.content.decode()
    assert "Scheduled" in text
    assert "Tuesday 1 December 2099 09:00 Asia/Singapore" in text


def test_many_readers_ask_for_the_password_again(
    client: Client, ada: Any, edition: Edition, readers: List, settings: Any
) -> None:
    settings.LOGIN = LoginEnvironment(reauthenticate_readers=1)
    ada.set_password("correct horse")
    ada.save()
    client.force_login(ada)

    asked = confirmed(client, edition, lists=readers.pk, when="at", time="2099-12-01T09:00")

    assert "/desk/security/confirm/" in asked.redirect_chain[0][0]
    assert not Send.objects.exists()
    client.post(asked.redirect_chain[0][0], {"password": "correct horse", "next": url(edition)})
    assert Send.objects.get().status == "scheduled"


@pytest.mark.parametrize("approved", [False, True])
def test_whatever_else_would_change_the_mail_is_looked_at_first(
    desk: Client, edition: Edition, readers: List, approved: bool
) -> None:
    """Its publication's footer is none of the edition's revisions: the yes is to what was shown."""
    if approved:
        approve_edition(edition, None)
    fields = {"lists": readers.pk, "when": "now"}
    seen = desk.post(url(edition), fields).context["seen"]
    Publication.objects.update(postal_address="2 Side Street, Singapore 018956")
    if approved:
        reopen_edition(edition, None)
        approve_edition(edition, None)
    yes = {**fields, "confirmed": "1", "revision": seen.revision or "", "send": "", "content": seen.content}

    answer = desk.post(url(edition), yes)

    assert "What readers would get has changed meanwhile" in answer.content.decode()
    assert not Send.objects.exists()
    assert bool(Edition.objects.get(pk=edition.pk).approval) is approved
    assert confirmed(desk, edition, **fields).status_code == 200
    assert Send.objects.get().approval.variants.get().html.count("2 Side Street") == 1


def test_a_second_click_schedules_nothing(desk: Client, edition: Edition, readers: List) -> None:
    fields = {"lists": readers.pk, "when": "now"}
    seen = desk.post(url(edition), fields).context["seen"]
    yes = {**fields, "confirmed": "1", "revision": seen.revision or "", "send": ""}

    desk.post(url(edition), yes)
    again = desk.post(url(edition), yes)

    assert Send.objects.count() == 1
    assert "saved or scheduled meanwhile" in again.content.decode()


def test_what_was_saved_meanwhile_is_looked_at_first(desk: Client, edition: Edition, readers: List) -> None:
    fields = {"lists": readers.pk, "when": "now"}
    seen = desk.post(url(edition), fields).context["seen"]
    edition.title = "Stone and water"
    edition.save()
    edition.save_revision()

    answer = desk.post(url(edition), {**fields, "confirmed": "1", "revision": seen.revision, "send": ""})

    assert "saved or scheduled meanwhile" in answer.content.decode()
    assert not Send.objects.exists()


def test_what_the_checks_find_is_said_and_nothing_is_approved(
    desk: Client, publication: Publication, readers: List
) -> None:
    empty = Edition.objects.create(publication=publication, title="Nothing yet")
    empty.save_revision()

    answer = desk.post(url(empty), {"lists": readers.pk, "when": "now"})

    assert answer.status_code == 422
    assert "mended first" in answer.content.decode()
    assert not Edition.objects.get(pk=empty.pk).approvals.exists()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"when": "now", "lists": []}, "Choose at least one list."),
        ({"when": ""}, "Choose when it goes out."),
        ({"when": "at"}, "Say the day and the time."),
        ({"when": "at", "time": "2020-01-01T09:00"}, "That time has passed in Asia/Singapore."),
        ({"when": "at", "time": "tomorrow"}, "Write the time as"),
        ({"when": "local", "time": "9999-12-31T23:59"}, "That year is too far away."),
        ({"when": "slot"}, "Select a valid choice"),
    ],
)
def test_what_is_missing_is_said(
    desk: Client, edition: Edition, readers: List, fields: dict[str, Any], said: str
) -> None:
    answer = desk.post(url(edition), {"lists": readers.pk, **fields})

    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not Send.objects.exists()


def test_a_time_that_the_clocks_skip_is_refused(
    desk: Client, edition: Edition, publication: Publication, readers: List
) -> None:
    publication.timezone = "Europe/Berlin"
    publication.save()

    answer = desk.post(url(edition), {"lists": readers.pk, "when": "at", "time": "2099-03-29T02:30"})

    assert "does not exist in Europe/Berlin" in answer.content.decode()


def test_at_the_readers_local_time(desk: Client, edition: Edition, readers: List) -> None:
    confirmed(desk, edition, lists=readers.pk, when="local", time="2099-12-01T09:00")

    assert Send.objects.get().local_at == "2099-12-01T09:00:00"


def test_at_the_next_slot_the_recurrence_makes_no_second_send(
    desk: Client, edition: Edition, publication: Publication, readers: List
) -> None:
    publication.cadence_weekday, publication.cadence_time = 4, dt.time(8)
    publication.save()
    recur(publication, lists=[readers])
    offered = desk.get(url(edition)).content.decode()
    slot = next_slot(publication, timezone.now())

    confirmed(desk, edition, lists=readers.pk, when="slot")

    assert "At the next slot" in offered
    send = Send.objects.get()
    assert send.scheduled_at == slot
    assert Slot.objects.get(at=slot).send == send


def test_with_its_slot_taken_by_its_own_send_it_is_not_sent_twice(
    desk: Client, edition: Edition, publication: Publication, readers: List
) -> None:
    publication.cadence_weekday, publication.cadence_time = 4, dt.time(8)
    publication.save()
    confirmed(desk, edition, lists=readers.pk, when="slot")

    answer = desk.post(url(edition), {"lists": readers.pk, "when": "slot"})

    assert "goes out with its slot already" in answer.content.decode()
    assert Send.objects.count() == 1


def test_only_whoever_may_approve_gets_there(client: Client, make_user: Make, edition: Edition, readers: List) -> None:
    client.force_login(make_user("eve", "editor"))

    answer = client.post(url(edition), {"lists": readers.pk, "when": "now", "confirmed": "1"})

    assert answer.status_code == 302
    assert not Send.objects.exists()
    page = client.get(reverse("wagtailsnippets_composer_edition:edit", args=[edition.pk])).content.decode()
    assert "Approve and schedule" not in page


def test_saving_leads_on_to_the_dialog(desk: Client, edition: Edition, form: Make) -> None:
    posted = {**form(edition, title="Stone"), "action-schedule": "Approve and schedule"}

    answer = desk.post(reverse("wagtailsnippets_composer_edition:edit", args=[edition.pk]), posted)

    assert answer.url == url(edition)
    assert Edition.objects.get(pk=edition.pk).title == "Stone"


def test_pause_resume_and_cancel(desk: Client, edition: Edition, readers: List) -> None:
    confirmed(desk, edition, lists=readers.pk, when="at", time="2099-12-01T09:00")
    send = Send.objects.get()

    def act(what: str, *, ask: bool = False) -> str:
        place = reverse("wagtailsnippets_composer_edition:send_action", args=[edition.pk, send.pk, what])
        answer = desk.get(place) if ask else desk.post(place, follow=True)
        return str(answer.content.decode())

    assert "Paused by Ada Lovelace." in act("pause")
    assert "Yes, send it" in act("resume", ask=True)
    assert Send.objects.get().status == "paused"
    act("resume")
    assert Send.objects.get().status == "scheduled"
    assert "Yes, cancel it" in act("cancel", ask=True)
    page = act("cancel")
    assert Send.objects.get().status == "cancelled"
    assert "Cancelled" in page
    assert "is cancelled by now" in act("pause")
    refused = act("undo")
    assert "is cancelled already." in refused
    assert "stops what remains" not in refused


def test_the_section_is_for_those_who_may_see_editions(
    client: Client, make_user: Make, edition: Edition, readers: List
) -> None:
    approve_edition(edition, None)
    client.force_login(make_user("vic", "writer"))

    answer = client.get(reverse("wagtailsnippets_composer_edition:sends", args=[edition.pk]))

    assert answer.status_code == 302
