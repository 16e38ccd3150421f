"""The preview as one reader: for those who may see readers, with their name and their stories, and links that do nothing."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from composer.models import Edition, Publication
from subscribers.models import Subscriber, Subscription
from tests import factories
from tests.web.desk.conftest import Make

pytestmark = pytest.mark.integration

VIP = {"all": [{"field": "tags", "op": "has_any", "value": ["vip"]}]}
BLOCKS: list[Any] = [
    ("story", {"headline": "For everybody", "lede": 'For you, {{ first_name | default: "reader" }}.'}, ""),
    ("story", {"headline": "For the few", "lede": "Text.", "audience": "vip"}, ""),
]


@pytest.fixture
def vera(publication: Publication) -> Subscriber:
    factories.make_segment(publication, VIP, "vip")
    readers = factories.make_list(publication)
    return factories.make_subscriber(readers, email="Vera@example.com", name="Vera <b>Important", tags=["vip"])


def found(client: Client, edition: Edition, **typed: str) -> dict[str, Any]:
    answer = client.post(reverse("wagtailsnippets_composer_edition:as_reader", args=[edition.pk]), typed)
    assert "error" not in answer.json() or answer.status_code == 400
    return dict(answer.json())


def preview(client: Client, edition: Edition, data: dict[str, Any], mode: str) -> str:
    url = reverse("wagtailsnippets_composer_edition:preview_on_edit", args=[edition.pk])
    assert client.post(url, data).json()["is_available"]
    return client.get(url, {"mode": mode}).content.decode()


def test_a_reader_s_own_mail_is_shown_and_its_links_do_nothing(
    desk: Client, edition: Edition, form: Make, vera: Subscriber
) -> None:
    plain = factories.make_subscriber(factories.make_list(edition.publication), email="paul@example.com", name="")
    data = form(edition, blocks=BLOCKS)

    modes = found(desk, edition, address=" vera@EXAMPLE.com ")["modes"]
    html, dark, text = (preview(desk, edition, data, mode) for mode, _ in modes)
    of_paul = preview(desk, edition, data, f"reader-{plain.pk}-html")

    assert next(label for _, label in modes) == "As Vera <b>Important <Vera@example.com>"
    assert "For you, Vera." in html
    for page in (html, dark, text):
        assert "For the few" in page
        assert "/u/" not in page
        assert "/p/" not in page
    assert 'href="#unsubscribe"' in html
    assert "color-scheme:only dark" in dark
    assert "<pre" in text
    assert "For you, reader." in of_paul
    assert "For the few" not in of_paul


def test_it_says_who_is_in_which_group_and_who_would_be_left_out(
    desk: Client, edition: Edition, form: Make, vera: Subscriber
) -> None:
    desk.post(reverse("wagtailsnippets_composer_edition:edit", args=[edition.pk]), form(edition, blocks=BLOCKS))
    assert found(desk, edition, address=vera.email)["said"] == "Vera <b>Important is in vip."

    Subscription.objects.update(status="unsubscribed")

    said = found(desk, edition, address=vera.email)["said"]
    assert said == "Vera <b>Important is in vip, and would be left out: unsubscribed."


def test_a_reader_without_a_story_sees_that_there_is_no_mail(desk: Client, edition: Edition, form: Make) -> None:
    reader = factories.make_subscriber(factories.make_list(edition.publication))

    page = preview(desk, edition, form(edition, blocks=BLOCKS[1:]), f"reader-{reader.pk}-html")

    assert "they get no mail" in page


@pytest.mark.parametrize(
    "typed", ["", "nobody@example.com", "not an address", "a\x00b@example.com", "x" * 9000, "'\"%_"]
)
def test_an_address_of_nobody_gets_a_word(desk: Client, edition: Edition, typed: str) -> None:
    said = found(desk, edition, address=typed)["error"]

    assert said.startswith("Type the address" if not typed else "No reader of The Weekly has the address “")


def test_readers_of_other_publications_are_not_there(desk: Client, edition: Edition, form: Make) -> None:
    elsewhere = factories.make_subscriber(factories.make_list(factories.make_publication()), email="eve@example.com")

    assert "No reader" in found(desk, edition, address="eve@example.com")["error"]
    assert found(desk, edition, begins="eve") == {"addresses": []}
    page = preview(desk, edition, form(edition), f"reader-{elsewhere.pk}-html")
    assert "not there any more" in page
    assert "eve@" not in page


def test_addresses_are_offered_while_one_is_typed(desk: Client, edition: Edition, vera: Subscriber) -> None:
    assert found(desk, edition, begins="VE") == {"addresses": ["Vera@example.com"]}
    assert found(desk, edition, begins="") == {"addresses": ["Vera@example.com"]}
    assert found(desk, edition, begins="era") == {"addresses": []}


def test_a_writer_may_not_look_at_readers(
    client: Client, make_user: Make, edition: Edition, form: Make, vera: Subscriber
) -> None:
    client.force_login(make_user("bob", "writer", publication=edition.publication))
    page = client.get(reverse("wagtailsnippets_composer_edition:edit", args=[edition.pk])).content.decode()
    url = reverse("wagtailsnippets_composer_edition:preview_on_edit", args=[edition.pk])
    client.post(url, form(edition, blocks=BLOCKS))

    answer = client.get(url, {"mode": f"reader-{vera.pk}-html"})

    assert answer.status_code == 302
    assert "As one reader" not in page
    client.force_login(make_user("pam", "publisher", publication=edition.publication))
    page = client.get(reverse("wagtailsnippets_composer_edition:edit", args=[edition.pk])).content.decode()
    assert "As one reader" in page
