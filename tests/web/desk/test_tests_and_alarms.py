"""Sending a test from an edition's page, and what needs a look on the first page."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from composer.models import Edition
from tasks.alarms.raising import raise_alarm
from tasks.models import Alarm, TransactionalMail

pytestmark = pytest.mark.integration

Make = Callable[..., Any]
HOME = "wagtailadmin_home"


@pytest.fixture(autouse=True)
def enqueued(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """No broker here."""
    enqueued: list[int] = []
    monkeypatch.setattr("tasks.queue.enqueue_mail", lambda mail_id, countdown=0: bool(enqueued.append(mail_id)))
    return enqueued


def edit_url(edition: Edition) -> str:
    return reverse("wagtailsnippets_composer_edition:edit", args=[edition.pk])


def test_url(edition: Edition) -> str:
    return reverse("wagtailsnippets_composer_edition:send_test", args=[edition.pk])


test_url.__test__ = False  # type: ignore[attr-defined]


def shown(response: Any) -> str:
    return " ".join(str(message) for message in response.context["messages"])


def test_the_editions_page_offers_a_test_to_oneself(desk: Client, edition: Edition) -> None:
    page = desk.get(edit_url(edition)).content.decode()

    assert f'action="{test_url(edition)}"' in page
    assert 'value="ada@example.com"' in page


def test_a_test_goes_out_and_says_to_whom(desk: Client, edition: Edition) -> None:
    response = desk.post(
        test_url(edition), {"addresses": "ada@example.com, bob@example.com;eve@example.com"}, follow=True
    )

    assert response.redirect_chain[-1][0] == edit_url(edition)
    assert "A test is on its way to ada@example.com, bob@example.com, eve@example.com." in shown(response)
    assert set(TransactionalMail.objects.values_list("subject", "asked_by", "edition")) == {
        ("[Test] Water and stone", "ada", edition.pk)
    }
    assert TransactionalMail.objects.count() == 3
    assert [message.level_tag for message in response.context["messages"]] == ["success"]


def test_separators_at_the_ends_are_no_addresses(desk: Client, edition: Edition) -> None:
    desk.post(test_url(edition), {"addresses": " ada@example.com;,\n"})

    assert TransactionalMail.objects.get().to_email == "ada@example.com"


@pytest.mark.parametrize(("addresses", "words"), [("", "name at least one address"), ("nobody", "is not an address")])
def test_what_is_wrong_is_shown(desk: Client, edition: Edition, addresses: str, words: str) -> None:
    response = desk.post(test_url(edition), {"addresses": addresses}, follow=True)

    assert response.redirect_chain[-1][0] == edit_url(edition)
    assert "No test was sent" in shown(response)
    assert words in shown(response)
    assert [message.level_tag for message in response.context["messages"]] == ["error"]
    assert not TransactionalMail.objects.exists()


def test_a_test_takes_a_post_a_token_and_the_right_to_edit(
    desk: Client, ada: Any, edition: Edition, make_user: Make
) -> None:
    data = {"addresses": "ada@example.com"}  # of the team
    assert desk.get(test_url(edition)).status_code == 405

    strict = Client(enforce_csrf_checks=True)
    strict.force_login(ada)
    assert strict.post(test_url(edition), data).status_code == 403

    visitor = Client()
    visitor.force_login(make_user("visitor", "analyst"))
    visitor.post(test_url(edition), data)
    Client().post(test_url(edition), data)
    assert not TransactionalMail.objects.exists()

    writer = Client()
    writer.force_login(make_user("writer", "writer"))
    writer.post(test_url(edition), data)
    assert TransactionalMail.objects.get().asked_by == "writer"


def test_an_edition_that_is_not_saved_offers_no_test(desk: Client, edition: Edition) -> None:
    page = desk.get(reverse("wagtailsnippets_composer_edition:add")).content.decode()

    assert "desk-test-addresses" not in page


def test_the_first_page_shows_what_is_open_above_the_editions(desk: Client, edition: Edition) -> None:
    raise_alarm("slot_missed", "Nobody approved <it>.", edition_id=edition.pk)
    raise_alarm("slot_unapproved", "Seen to.", edition_id=edition.pk)
    Alarm.objects.filter(code="slot_unapproved").update(cleared_at=Alarm.objects.first().raised_at)  # type: ignore[union-attr]

    page = desk.get(reverse(HOME)).content.decode()

    assert "Nobody approved &lt;it&gt;." in page
    assert "A slot was missed" in page
    assert "slot_missed" not in page
    assert page.index("Needs you") < page.index('id="desk-editions"')
    assert "Seen to." not in page
    assert edit_url(edition) in page


def test_without_an_alarm_the_page_says_so(desk: Client, edition: Edition) -> None:
    assert "Nothing. All is well." in desk.get(reverse(HOME)).content.decode()


def test_both_forms_carry_what_the_server_asks_for(ada: Any, edition: Edition) -> None:
    raise_alarm("slot_missed", "Nobody approved it.")
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(ada)

    for page, url, data in (
        (edit_url(edition), test_url(edition), {"addresses": "ada@example.com"}),
        (reverse(HOME), reverse("desk_clear_alarm", args=[Alarm.objects.get().pk]), {}),
    ):
        html = strict.get(page).content.decode()
        form = html[html.index(f'action="{url}"') :]
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form[: form.index("</form>")])
        assert token is not None
        assert strict.post(url, {**data, "csrfmiddlewaretoken": token[1]}).status_code == 302

    assert TransactionalMail.objects.exists()
    assert Alarm.objects.get().cleared_at is not None


def test_many_alarms_are_counted(desk: Client, edition: Edition) -> None:
    for number in range(13):
        raise_alarm("slot_missed", f"Number {number}.")

    page = desk.get(reverse(HOME)).content.decode()

    assert "And 3 more" in page
    assert "Number 12." in page
    assert "Number 2." not in page


def test_done_takes_it_off_the_list_once(desk: Client, edition: Edition) -> None:
    raise_alarm("slot_missed", "Nobody approved it.")
    url = reverse("desk_clear_alarm", args=[Alarm.objects.get().pk])

    assert desk.get(url).status_code == 405
    assert Alarm.objects.get().cleared_at is None
    assert "off the list" in shown(desk.post(url, follow=True))
    assert Alarm.objects.get().cleared_at is not None
    assert "already" in shown(desk.post(url, follow=True))


def test_clearing_needs_the_right_to_approve_and_a_token(ada: Any, edition: Edition, make_user: Make) -> None:
    raise_alarm("slot_missed", "Nobody approved it.")
    url = reverse("desk_clear_alarm", args=[Alarm.objects.get().pk])
    writer = Client()
    writer.force_login(make_user("writer", "writer"))
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(ada)

    page = writer.get(reverse(HOME)).content.decode()
    assert "Nobody approved it." in page
    assert url not in page
    for client in (writer, strict, Client()):
        client.post(url)
    assert Alarm.objects.get().cleared_at is None
