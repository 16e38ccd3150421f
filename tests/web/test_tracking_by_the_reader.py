"""The box on the page of a reader's subscriptions: may opens and clicks be reported?"""

from typing import Any

import pytest
from django.test import Client

from composer.models import Publication
from subscribers import reader_links, tracking
from subscribers.models import List, Subscriber, Suppression, TrackingAnswer
from subscribers.tokens import LinkKind
from tasks.database import high_water
from tests import factories

pytestmark = pytest.mark.django_db
WORDING = "You may count what I open."


@pytest.fixture
def publication() -> Publication:
    return factories.make_publication(tracking=True, tracking_wording=WORDING)


@pytest.fixture
def weekly(publication: Publication) -> List:
    return factories.make_list(publication, "weekly")


@pytest.fixture
def reader(weekly: List) -> Subscriber:
    return factories.make_subscriber(weekly)


@pytest.fixture
def save(client: Client, publication: Publication, weekly: List, reader: Subscriber) -> Any:
    """Open the page, change the box to this, and save it as a browser does."""

    def saved(ticked: bool) -> str:
        url = f"/p/{reader_links.signer(high_water.installation()).sign(LinkKind.PREFERENCES, publication.pk, 0, reader.pk)}"
        page = client.get(url).content.decode()
        shown = "on" if 'name="tracking_shown" value="on"' in page else "off"
        client.post(url, {"list": [weekly.pk], "tracking_shown": shown, **({"tracking": "on"} if ticked else {})})
        reader.refresh_from_db()
        return reader.tracking

    return saved


def page_of(client: Client, publication: Publication, reader: Subscriber) -> str:
    url = (
        f"/p/{reader_links.signer(high_water.installation()).sign(LinkKind.PREFERENCES, publication.pk, 0, reader.pk)}"
    )
    return client.get(url).content.decode()


def test_it_works_in_both_directions_and_keeps_the_wording(save: Any, reader: Subscriber) -> None:
    assert [save(True), save(False), save(True)] == ["granted", "denied", "granted"]

    kept = TrackingAnswer.objects.filter(subscriber=reader).values_list("answer", "source", "wording")
    assert list(kept) == [(said, "preferences page", WORDING) for said in ("granted", "denied", "granted")]


def test_refusing_unsubscribes_from_nothing(save: Any, reader: Subscriber) -> None:
    save(True)
    save(False)

    assert reader.subscriptions.get().status == "active"
    assert not Suppression.objects.exists()


def test_a_box_left_as_it_was_is_no_answer(save: Any, publication: Publication) -> None:
    assert save(False) == "unknown"
    Publication.objects.filter(pk=publication.pk).update(track_unknown=True)
    assert save(True) == "unknown"
    assert not TrackingAnswer.objects.exists()


def test_who_is_tracked_unasked_sees_it_and_can_refuse(
    client: Client, save: Any, publication: Publication, reader: Subscriber
) -> None:
    Publication.objects.filter(pk=publication.pk).update(track_unknown=True)

    assert 'name="tracking" value="on" checked' in page_of(client, publication, reader)
    assert save(False) == "denied"
    assert 'name="tracking" value="on">' in page_of(client, publication, reader)


def test_a_plain_form_without_the_tick_takes_a_yes_back(
    client: Client, publication: Publication, weekly: List, reader: Subscriber
) -> None:
    url = (
        f"/p/{reader_links.signer(high_water.installation()).sign(LinkKind.PREFERENCES, publication.pk, 0, reader.pk)}"
    )
    client.post(url, {"list": [weekly.pk]})
    assert not TrackingAnswer.objects.exists()

    client.post(url, {"list": [weekly.pk], "tracking": "on"})
    client.post(url, {"list": [weekly.pk]})

    assert list(TrackingAnswer.objects.values_list("answer", flat=True)) == ["granted", "denied"]


def test_a_stale_page_takes_nothing_back(
    client: Client, publication: Publication, weekly: List, reader: Subscriber
) -> None:
    tracking.answer(reader.pk, tracking.Tracking.GRANTED, source="another tab")
    url = (
        f"/p/{reader_links.signer(high_water.installation()).sign(LinkKind.PREFERENCES, publication.pk, 0, reader.pk)}"
    )

    client.post(url, {"list": [weekly.pk], "tracking_shown": "off"})

    reader.refresh_from_db()
    assert reader.tracking == "granted"


def test_leaving_all_lists_can_be_said_together_with_refusing(
    client: Client, publication: Publication, reader: Subscriber
) -> None:
    tracking.answer(reader.pk, tracking.Tracking.GRANTED, source="form")
    url = (
        f"/p/{reader_links.signer(high_water.installation()).sign(LinkKind.PREFERENCES, publication.pk, 0, reader.pk)}"
    )

    client.post(url, {"tracking_shown": "on"})

    reader.refresh_from_db()
    assert (reader.tracking, reader.subscriptions.get().status) == ("denied", "unsubscribed")


def test_a_publication_that_tracks_nobody_asks_only_whoever_can_take_a_yes_back(
    client: Client, publication: Publication, reader: Subscriber
) -> None:
    Publication.objects.filter(pk=publication.pk).update(tracking=False)
    assert WORDING not in page_of(client, publication, reader)

    tracking.answer(reader.pk, tracking.Tracking.GRANTED, source="form")

    assert WORDING in page_of(client, publication, reader)
