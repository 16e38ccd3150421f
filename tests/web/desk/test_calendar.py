"""The calendar: slots, sends and holidays of all publications, a month at a time."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from composer.models import Edition, Holiday, Publication
from tests import factories
from web.desk.calendar import Day, days

pytestmark = pytest.mark.integration

Make = Callable[..., Any]
CALENDAR = "desk_calendar"
DECEMBER = date(2030, 12, 1)
#: Wednesday the 4th by UTC, Thursday the 5th in Singapore.
AT = datetime(2030, 12, 4, 22, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.queue.on_commit", lambda *_: None)


def day(number: int) -> Day:
    return next(
        one for one in days(DECEMBER, User(is_superuser=True, is_active=True)) if one.date == date(2030, 12, number)
    )


def edit_url(edition: Edition) -> str:
    return reverse("wagtailsnippets_composer_edition:edit", args=[edition.pk])


def test_a_slot_stands_on_its_publications_day_with_its_zone(desk: Client, edition: Edition) -> None:
    Edition.objects.filter(pk=edition.pk).update(slot=AT)

    (entry,) = day(5).entries
    assert (entry.time, entry.what, entry.status) == ("06:30 Asia/Singapore", "No. 1 Water and stone", "draft")
    assert not day(4).entries
    page = desk.get(reverse(CALENDAR), {"month": "2030-12"}).content.decode()
    assert f'href="{edit_url(edition)}"' in page
    assert "06:30 Asia/Singapore" in page


def test_a_send_stands_for_its_slot_and_leads_to_its_edition(edition: Edition) -> None:
    Edition.objects.filter(pk=edition.pk).update(slot=AT)
    approval = factories.make_approval(edition)
    factories.make_send(approval=approval, scheduled_at=AT)
    factories.make_send(approval=approval, scheduled_at=AT, status="cancelled")

    (entry,) = day(5).entries
    assert (entry.status, entry.url) == ("scheduled", edit_url(edition))


def test_what_is_out_stands_where_it_began(edition: Edition) -> None:
    begun = datetime(2030, 12, 9, 1, 0, tzinfo=UTC)
    send = factories.make_send(approval=factories.make_approval(edition), scheduled_at=AT, status="sent")
    type(send).objects.filter(pk=send.pk).update(prepared_at=begun)

    assert [entry.status for entry in day(9).entries] == ["sent"]
    assert not day(5).entries


def test_slots_ahead_show_before_they_have_an_edition(publication: Publication) -> None:
    Publication.objects.filter(pk=publication.pk).update(cadence_weekday=4, cadence_time="08:00")
    Holiday.objects.create(publication=publication, day=date(2030, 12, 13), name="Feast")

    fridays = [
        one.date.day for one in days(DECEMBER, User(is_superuser=True, is_active=True)) if one.entries and one.in_month
    ]

    assert fridays == [6, 20, 27]
    assert day(13).holidays[0].name == "Feast"
    assert day(6).entries[0].what == "Slot without an edition yet"


def test_a_holiday_is_added_and_removed(desk: Client, publication: Publication) -> None:
    url = reverse(CALENDAR)

    added = desk.post(url, {"publication": publication.pk, "day": "2030-12-25", "name": "Christmas"}, follow=True)
    holiday = Holiday.objects.get()
    page = added.content.decode()
    assert "Christmas" in page
    assert "leaves out 25 December 2030." in page
    assert reverse("desk_remove_holiday", args=[holiday.pk]) in page

    desk.post(url, {"publication": publication.pk, "day": "2030-12-25", "name": "Xmas"})
    assert Holiday.objects.get().name == "Xmas"

    assert desk.get(reverse("desk_remove_holiday", args=[holiday.pk])).status_code == 405
    desk.post(reverse("desk_remove_holiday", args=[holiday.pk]))
    assert not Holiday.objects.exists()


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"day": ""}, "day"),
        ({"day": "25 of December"}, "day"),
        ({"day": "1066-10-14"}, "day"),
        ({"publication": "0"}, "publication"),
        ({"name": "x" * 121}, "name"),
    ],
)
def test_what_is_wrong_stands_at_its_field(
    desk: Client, publication: Publication, fields: dict[str, str], named: str
) -> None:
    response = desk.post(reverse(CALENDAR), {"publication": publication.pk, "day": "2030-12-25", "name": "", **fields})

    assert response.status_code == 422
    assert list(response.context["form"].errors) == [named]
    assert not Holiday.objects.exists()


def test_the_day_of_an_approved_edition_is_kept(desk: Client, edition: Edition) -> None:
    Edition.objects.filter(pk=edition.pk).update(slot=AT)
    factories.make_approval(edition)

    response = desk.post(reverse(CALENDAR), {"publication": edition.publication_id, "day": "2030-12-05"})

    assert "is approved for that day: reopen it first" in str(response.context["form"].errors["day"])


@pytest.mark.parametrize("month", ["", "nonsense", "2030-13", "0001-01", "9999-12"])
def test_any_month_is_answered(desk: Client, publication: Publication, month: str) -> None:
    assert desk.get(reverse(CALENDAR), {"month": month}).status_code == 200


def test_months_lead_to_one_another(desk: Client, publication: Publication) -> None:
    page = desk.get(reverse(CALENDAR), {"month": "2030-12"}).content.decode()

    assert 'href="?month=2030-11"' in page
    assert 'href="?month=2031-01"' in page


def test_whoever_may_look_may_not_change(publication: Publication, make_user: Make) -> None:
    holiday = Holiday.objects.create(publication=publication, day=date(2030, 12, 25))
    reader, nobody = Client(), Client()
    reader.force_login(make_user("reader", "publisher"))
    nobody.force_login(make_user("nobody"))
    add = {"publication": publication.pk, "day": "2030-12-26"}

    page = reader.get(reverse(CALENDAR), {"month": "2030-12"})
    assert page.status_code == 200
    assert "Add the holiday" not in page.content.decode()
    for client in (reader, nobody):
        client.post(reverse(CALENDAR), add)
        client.post(reverse("desk_remove_holiday", args=[holiday.pk]))
    assert nobody.get(reverse(CALENDAR)).status_code == 302
    assert list(Holiday.objects.all()) == [holiday]


def test_a_full_month_costs_few_queries(
    desk: Client, publication: Publication, django_assert_max_num_queries: Any
) -> None:
    for number in range(1, 29):
        made = factories.make_edition(publication, slot=datetime(2030, 12, number, tzinfo=UTC))
        if number % 2:
            factories.make_send(approval=factories.make_approval(made), scheduled_at=made.slot)
    desk.get(reverse(CALENDAR))

    with django_assert_max_num_queries(20):
        desk.get(reverse(CALENDAR), {"month": "2030-12"})
