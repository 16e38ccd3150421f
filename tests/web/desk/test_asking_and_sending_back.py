"""An edition goes from its author to whoever may approve, and back with a note."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from wagtail.log_actions import registry

from composer import review
from composer.approval import approve
from composer.models import Edition, Publication, Review
from newsdesk.core.errors import InputError

pytestmark = pytest.mark.integration

Make = Callable[..., Any]
HOME = "wagtailadmin_home"
WAITS, BACK = "waits for your approval", "came back with a note"


def edit_url(edition: Edition) -> str:
    return reverse("wagtailsnippets_composer_edition:edit", args=[edition.pk])


def back_url(edition: Edition) -> str:
    return reverse("wagtailsnippets_composer_edition:send_back", args=[edition.pk])


def home(client: Client) -> str:
    return client.get(reverse(HOME)).content.decode()


@pytest.fixture
def willa(make_user: Make) -> Any:
    return make_user("willa", "writer", first_name="Willa")


@pytest.fixture
def writer(willa: Any) -> Client:
    client = Client()
    client.force_login(willa)
    return client


def test_a_writer_asks_and_the_publisher_finds_it(desk: Client, writer: Client, edition: Edition, form: Make) -> None:
    page = writer.get(edit_url(edition)).content.decode()
    assert "Ask for approval" in page
    assert "Approve and schedule" not in page

    writer.post(edit_url(edition), {**form(edition, title="Water, again"), "action-ask": "1"})

    edition.refresh_from_db()
    assert edition.title == "Water, again"
    assert f"No. 1 of The Weekly {WAITS}" in home(desk)
    assert "Willa asked for it." in home(desk)
    assert WAITS not in home(writer)
    assert "Willa asked for approval" in desk.get(edit_url(edition)).content.decode()
    assert registry.get_logs_for_instance(edition).filter(action="newsdesk.ask").count() == 1


def test_it_comes_back_with_a_note_until_asked_again(
    desk: Client, writer: Client, willa: Any, edition: Edition
) -> None:
    review.ask_for_approval(edition, by=willa)

    done = desk.post(back_url(edition), {"note": "The bridge is <open> again."}, follow=True)

    assert "No. 1 went back to Willa with your note." in done.content.decode()
    note = "The bridge is &lt;open&gt; again."
    for page in (home(writer), writer.get(edit_url(edition)).content.decode(), done.content.decode()):
        assert note in page
    assert BACK in home(writer)
    assert BACK not in home(desk)
    assert WAITS not in home(desk)
    assert registry.get_logs_for_instance(edition).filter(action="newsdesk.send_back").get().data["note"]

    review.ask_for_approval(edition, by=willa)
    assert note not in writer.get(edit_url(edition)).content.decode()
    assert BACK not in home(writer)
    assert WAITS in home(desk)


def test_an_approval_answers_it_for_good(desk: Client, willa: Any, edition: Edition, ada: Any) -> None:
    review.ask_for_approval(edition, by=willa)
    approve(edition, by=ada, audience_rules={})

    assert review.standing_review(edition) is None
    assert WAITS not in home(desk)
    for refused in (
        lambda: review.ask_for_approval(edition, by=willa),
        lambda: review.send_back(edition, by=ada, note="No."),
    ):
        with pytest.raises(review.ReviewRefusedError, match="approved already"):
            refused()


def test_without_asking_it_goes_back_to_whoever_edited_last(
    desk: Client, writer: Client, willa: Any, edition: Edition
) -> None:
    assert "Send back" not in desk.get(edit_url(edition)).content.decode()
    edition.save_revision(user=willa)
    assert back_url(edition) in desk.get(edit_url(edition)).content.decode()

    desk.post(back_url(edition), {"note": "Shorter, please."})

    assert Review.objects.get().to == willa
    assert "Shorter, please." in home(writer)


def test_asking_twice_adds_nothing(willa: Any, edition: Edition) -> None:
    assert review.ask_for_approval(edition, by=willa) == review.ask_for_approval(edition, by=willa)


def test_where_a_second_person_must_approve_ones_own_is_not_asked_for(
    desk: Client, ada: Any, willa: Any, edition: Edition
) -> None:
    Publication.objects.filter(pk=edition.publication_id).update(second_approver=True)
    edition.save_revision(user=ada)
    review.ask_for_approval(edition, by=willa)

    assert WAITS not in home(desk)


@pytest.mark.parametrize("note", ["", "   ", "x" * 1001])
def test_a_note_is_needed(desk: Client, edition: Edition, ada: Any, note: str) -> None:
    response = desk.post(back_url(edition), {"note": note})

    assert response.status_code == 422
    assert response.context["form"].errors["note"]
    with pytest.raises(InputError):
        review.send_back(edition, by=ada, note=note)
    assert not Review.objects.exists()


def test_the_database_wants_a_note_too(edition: Edition) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Review.objects.create(edition=edition, kind="sent_back", note=" ")


def test_only_whoever_may_approve_sends_back(writer: Client, make_user: Make, edition: Edition, form: Make) -> None:
    publisher = Client()
    publisher.force_login(make_user("pia", "publisher"))

    writer.post(back_url(edition), {"note": "No."})
    publisher.post(edit_url(edition), {**form(edition), "action-ask": "1"})

    assert not Review.objects.exists()
    assert publisher.get(back_url(edition)).status_code == 200
