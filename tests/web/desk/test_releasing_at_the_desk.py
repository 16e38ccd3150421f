"""A send whose time passed while its edition was reopened: the desk asks, and two buttons answer."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from wagtail.models import ModelLogEntry

from composer.models import Edition, Publication
from composer.slots import next_slot
from subscribers.models import List
from tasks.approvals.approving import approve_edition, reopen_edition
from tasks.models import Send
from tasks.sends import database_moved
from tasks.sends.scheduling import schedule

pytestmark = pytest.mark.integration

Make = Callable[..., Any]


@pytest.fixture
def held(edition: Edition, publication: Publication) -> Send:
    """Approved again too late."""
    publication.cadence_weekday, publication.cadence_time = 4, dt.time(8)
    publication.save()
    approve_edition(edition, None)
    readers = List.objects.create(publication=publication, slug="readers", name="Readers")
    send = schedule(edition, lists=[readers], at=timezone.now() + dt.timedelta(days=1))
    reopen_edition(edition, None)
    Send.objects.update(scheduled_at=timezone.now() - dt.timedelta(minutes=1))
    approve_edition(edition, None)
    send.refresh_from_db()
    return send


def edit_url(edition: Edition) -> str:
    return reverse("wagtailsnippets_composer_edition:edit", args=[edition.pk])


def release_url(send: Send, when: str) -> str:
    return reverse("wagtailsnippets_composer_edition:send_action", args=[send.edition_id, send.pk, f"release-{when}"])


def shown(response: Any) -> str:
    return " ".join(str(message) for message in response.context["messages"])


def test_the_editions_page_asks_and_offers_both_answers(desk: Client, held: Send) -> None:
    page = desk.get(edit_url(held.edition)).content.decode()

    assert f"Send {held.pk} is held. Its time passed while the edition was reopened" in page
    assert release_url(held, "now") in page
    assert release_url(held, "next-slot") in page


def test_without_a_held_send_it_asks_nothing(desk: Client, edition: Edition) -> None:
    approve_edition(edition, None)

    page = desk.get(edit_url(edition)).content.decode()

    assert "Reopen" in page
    assert f"/sends/{edition.pk}/" not in page


def test_send_now(desk: Client, ada: Any, held: Send) -> None:
    response = desk.post(release_url(held, "now"), follow=True)

    assert "No. 1 goes out now" in shown(response)
    held.refresh_from_db()
    assert (held.status, held.held_at) == ("scheduled", None)
    assert held.actions.get(what="released").by == ada
    assert ModelLogEntry.objects.for_instance(held.edition).filter(action="newsdesk.release", user=ada).exists()
    assert "/release-" not in response.content.decode()


def test_send_with_the_next_slot(desk: Client, held: Send, publication: Publication) -> None:
    slot = next_slot(publication, timezone.now())
    assert slot is not None

    response = desk.post(release_url(held, "next-slot"), follow=True)

    assert f"goes out with the slot of {slot.astimezone(publication.zone):%Y-%m-%d} 08:00 (Asia/Singapore)" in shown(
        response
    )
    held.refresh_from_db()
    assert held.scheduled_at == slot


def test_pressed_twice_it_says_so_and_changes_nothing(desk: Client, held: Send) -> None:
    desk.post(release_url(held, "now"))

    response = desk.post(release_url(held, "next-slot"), follow=True)

    assert "is not held" in shown(response)
    held.refresh_from_db()
    assert held.scheduled_at < timezone.now()


def test_it_is_posted_and_means_a_send_of_this_edition(desk: Client, held: Send) -> None:
    asked = desk.get(release_url(held, "now"))
    assert "Yes, send it" in asked.content.decode()
    assert Send.objects.get(pk=held.pk).held_at is not None
    assert desk.post(release_url(held, "sometime")).status_code == 404
    assert desk.post(release_url(held, "now").replace(f"/{held.pk}/release", "/999999/release")).status_code == 404
    held.refresh_from_db()
    assert held.held_at is not None


def test_it_needs_the_permission_to_approve(client: Client, make_user: Make, held: Send) -> None:
    client.force_login(make_user("eve", "editor"))

    client.post(release_url(held, "now"))

    held.refresh_from_db()
    assert held.held_at is not None
    assert "/release-" not in client.get(edit_url(held.edition)).content.decode()


def test_a_send_that_may_be_out_can_only_be_cancelled(desk: Client, edition: Edition, publication: Publication) -> None:
    approve_edition(edition, None)
    readers = List.objects.create(publication=publication, slug="readers", name="Readers")
    send = schedule(edition, lists=[readers])
    database_moved.pause_for_moved_database(send.pk)
    urls = {
        what: reverse("wagtailsnippets_composer_edition:send_action", args=[edition.pk, send.pk, what])
        for what in ("resume", "cancel")
    }

    for page in (desk.get(edit_url(edition)), desk.get(reverse("wagtailadmin_home"))):
        assert urls["cancel"] in page.content.decode()
        assert urls["resume"] not in page.content.decode()
    # Somebody pressed it before.
    assert "schedule it again if it has not" in shown(desk.post(urls["resume"], follow=True))
    send.refresh_from_db()
    assert send.status == "paused"
