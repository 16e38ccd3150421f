"""The weekly slot on the publication's form: the same as `newsdesk recur`."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from composer.models import Publication
from subscribers.models import List, Segment
from tasks.models import Recurrence
from tests import factories

pytestmark = pytest.mark.integration

Make = Callable[..., Any]


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.queue.on_commit", lambda *_: None)


@pytest.fixture
def readers(publication: Publication) -> List:
    return factories.make_list(publication)


def edit_url(publication: Publication) -> str:
    return reverse("publication:edit", args=[publication.pk])


def post(desk: Client, publication: Publication, **fields: Any) -> Any:
    bound = desk.get(edit_url(publication)).context["form"]
    data = {name: bound[name].value() for name in bound.fields}
    data |= {"cadence_weekday": "4", "cadence_time": "08:00"}
    data = {name: value for name, value in {**data, **fields}.items() if value not in (None, False)}
    return desk.post(edit_url(publication), data)


def errors(response: Any) -> dict[str, Any]:
    return dict(response.context["form"].errors)


def test_a_list_is_chosen_and_the_slot_runs(desk: Client, ada: Any, publication: Publication, readers: List) -> None:
    segment = factories.make_segment(publication, {"field": "language", "op": "is", "value": "de"})

    response = post(
        desk,
        publication,
        slot_lists=[readers.pk],
        slot_segment=segment.pk,
        slot_local_time="on",
        slot_late_minutes="90",
    )

    assert response.status_code == 302
    made = Recurrence.objects.get(publication=publication)
    assert (made.active, list(made.lists.all()), made.segment, made.local_time, made.late_minutes, made.created_by) == (
        True,
        [readers],
        segment,
        True,
        90,
        ada,
    )
    page = desk.get(edit_url(publication)).content.decode()
    assert "Runs by itself." in page
    assert "08:00 Asia/Singapore" in page
    assert "Stop the weekly slot" in page


def test_what_was_set_by_the_command_is_shown_and_kept(desk: Client, publication: Publication, readers: List) -> None:
    Publication.objects.filter(pk=publication.pk).update(cadence_weekday=4, cadence_time="08:00")
    publication.refresh_from_db()
    from tasks.slots.recurrence import recur

    before = recur(publication, lists=[readers], late_minutes=45)

    form = desk.get(edit_url(publication)).context["form"]
    assert form["slot_lists"].value() == [readers.pk]
    post(desk, publication, title="Renamed")

    after = Recurrence.objects.get()
    assert (after.active, after.late_minutes, after.created_by) == (True, before.late_minutes, None)
    assert Publication.objects.get().title == "Renamed"


def test_no_list_stops_it(desk: Client, publication: Publication, readers: List) -> None:
    post(desk, publication, slot_lists=[readers.pk])
    post(desk, publication, slot_lists=[])

    assert not Recurrence.objects.get().active


def test_the_button_stops_it(desk: Client, publication: Publication, readers: List) -> None:
    post(desk, publication, slot_lists=[readers.pk])
    url = reverse("desk_stop_weekly_slot", args=[publication.pk])

    assert desk.get(url).status_code == 405
    first = desk.post(url, follow=True)
    second = desk.post(url, follow=True)

    assert not Recurrence.objects.get().active
    assert "Sends that are scheduled stay so." in first.content.decode()
    assert "It is stopped already." in second.content.decode()
    assert "Stop the weekly slot" not in second.content.decode()


def test_stopping_takes_the_right_to_change_publications(
    publication: Publication, readers: List, desk: Client, make_user: Make
) -> None:
    post(desk, publication, slot_lists=[readers.pk])
    writer = Client()
    writer.force_login(make_user("pia", "publisher"))

    writer.post(reverse("desk_stop_weekly_slot", args=[publication.pk]))

    assert Recurrence.objects.get().active


@pytest.mark.parametrize(
    ("fields", "named", "words"),
    [
        ({"cadence_weekday": "", "cadence_time": ""}, "cadence_weekday", "Give the weekly slot a day"),
        ({"cadence_time": ""}, "cadence_time", "Give the weekly slot a time"),
        ({"slot_lists": [], "slot_local_time": "on"}, "slot_lists", "Choose at least one list."),
        ({"slot_lists": [0]}, "slot_lists", "not one of the available choices"),
        ({"slot_late_minutes": "10081"}, "slot_late_minutes", "less than or equal to 10080"),
        ({"slot_late_minutes": "-1"}, "slot_late_minutes", "greater than or equal to 0"),
    ],
)
def test_what_is_wrong_stands_at_its_field(
    desk: Client, publication: Publication, readers: List, fields: dict[str, Any], named: str, words: str
) -> None:
    response = post(desk, publication, **{"slot_lists": [readers.pk], **fields})

    assert words in str(errors(response)[named])
    assert not Recurrence.objects.exists()


def test_another_publications_lists_and_segments_are_not_offered(
    desk: Client, publication: Publication, readers: List
) -> None:
    other = factories.make_publication()
    theirs = factories.make_list(other, "theirs")
    segment: Segment = factories.make_segment(other, {"field": "language", "op": "is", "value": "de"})

    response = post(desk, publication, slot_lists=[theirs.pk], slot_segment=segment.pk)

    assert {"slot_lists", "slot_segment"} <= errors(response).keys()


def test_a_new_publication_asks_only_for_day_time_and_zone(desk: Client) -> None:
    page = desk.get(reverse("publication:add")).content.decode()

    assert 'name="cadence_weekday"' in page
    assert 'name="slot_late_minutes"' not in page
