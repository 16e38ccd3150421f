"""A slot is shown and typed on its publication's clock, whose name stands beside it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from composer.models import Edition, Publication
from tests import factories
from web.desk.times import countdown, span

pytestmark = pytest.mark.integration

Make = Callable[..., Any]
SLOT = datetime(2026, 12, 4, 0, 0, tzinfo=UTC)


def edit_url(edition: Edition) -> str:
    return reverse("wagtailsnippets_composer_edition:edit", args=[edition.pk])


@pytest.fixture
def slotted(edition: Edition) -> Edition:
    edition.slot = SLOT
    edition.save()
    edition.save_revision()
    return edition


def test_the_form_shows_the_publications_clock(desk: Client, slotted: Edition) -> None:
    response = desk.get(edit_url(slotted))

    assert response.context["form"]["slot"].value() == datetime(2026, 12, 4, 8, 0)
    assert "on the clock of Asia/Singapore" in response.content.decode()


def test_what_is_typed_is_read_on_that_clock(desk: Client, slotted: Edition, form: Make) -> None:
    desk.post(edit_url(slotted), form(slotted, slot="2026-12-04 09:30"))

    slotted.refresh_from_db()
    assert slotted.slot == SLOT + timedelta(minutes=90)


def test_the_same_time_is_no_change(desk: Client, slotted: Edition, form: Make) -> None:
    unchanged = form(slotted, slot="2026-12-04 08:00", subject="x" * 301)
    bound = desk.post(edit_url(slotted), unchanged)

    assert "slot" not in bound.context["form"].changed_data
    slotted.refresh_from_db()
    assert slotted.slot == SLOT


def test_a_new_edition_is_on_the_clock_of_the_publication_that_is_chosen(
    desk: Client, publication: Publication, form: Make
) -> None:
    other = factories.make_publication(title="Berlin Weekly", timezone="Europe/Berlin")
    url = reverse("wagtailsnippets_composer_edition:add")

    assert "Berlin Weekly Europe/Berlin, The Weekly Asia/Singapore" in desk.get(url).content.decode()
    desk.post(url, form(Edition(title="New", publication=other), slot="2026-12-04 08:00"))

    assert Edition.objects.get().slot == datetime(2026, 12, 4, 7, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("2027-03-28 02:30", "does not exist in Europe/Berlin"),
        ("9999-12-04 08:00", "too far away"),
        ("soon", "Enter a valid date/time"),
    ],
)
def test_a_time_that_cannot_be_is_refused(
    desk: Client, slotted: Edition, form: Make, publication: Publication, typed: str, words: str
) -> None:
    Publication.objects.filter(pk=publication.pk).update(timezone="Europe/Berlin")

    response = desk.post(edit_url(slotted), form(slotted, slot=typed))

    assert words in str(response.context["form"].errors["slot"])


def test_the_list_names_the_clock(desk: Client, slotted: Edition) -> None:
    page = desk.get(reverse("wagtailsnippets_composer_edition:list")).content.decode()

    assert "Friday 4 December 2026 08:00 Asia/Singapore" in page


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (timedelta(seconds=30), "less than a minute"),
        (timedelta(minutes=5, seconds=59), "5 min"),
        (timedelta(hours=3, minutes=5), "3 h 5 min"),
        (timedelta(hours=45, minutes=12), "1 day 21 h"),
        (timedelta(days=3), "3 days"),
    ],
)
def test_spans_are_said_in_two_units(length: timedelta, said: str) -> None:
    assert span(length) == said
    assert countdown(SLOT + length, SLOT) == f"in {said}"
    assert countdown(SLOT - length, SLOT) == f"{said} ago"
