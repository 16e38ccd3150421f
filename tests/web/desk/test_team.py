"""The team's screen."""

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from composer.models import Edition, Membership, Publication
from tests.web.desk.conftest import Make

pytestmark = pytest.mark.integration

ADD = "/desk/team/add/"


@pytest.fixture
def chief(client: Client, make_user: Make) -> Client:
    client.force_login(make_user("chief", "administrator", first_name="Grace", last_name="Hopper"))
    return client


def person_url(person: Any, what: str = "") -> str:
    return f"/desk/team/{person.pk}/{what}"


def test_the_team_is_listed_with_roles_and_states(chief: Client, make_user: Make, publication: Publication) -> None:
    make_user("bob", "editor", publication=publication, is_active=False)

    page = chief.get(reverse("desk_team")).content.decode()

    assert "Grace Hopper" in page
    assert "Administrator of all publications" in page
    assert "Editor of The Weekly" in page
    assert "Deactivated" in page
    assert "Team" in chief.get("/desk/").content.decode()


def test_whoever_is_added_sets_a_password_with_the_link_once(
    chief: Client, publication: Publication, edition: Edition
) -> None:
    answer = chief.post(
        ADD, {"full_name": "Ada King Lovelace", "email": "Ada@Example.com", f"role-{publication.pk}": "writer"}
    )

    ada = get_user_model().objects.get(email="ada@example.com")
    assert (ada.first_name, ada.last_name, ada.has_usable_password()) == ("Ada King", "Lovelace", False)
    link = re.search(r'value="(https://news\.example\.com/desk/[^"]+)"', answer.content.decode())
    assert link is not None
    assert "no-store" in answer.headers["Cache-Control"]
    assert "Invited" in chief.get(reverse("desk_team")).content.decode()

    browser = Client()
    form = browser.get(urlsplit(link[1]).path, follow=True)
    password = "rivers in the north 7"
    answer = browser.post(form.redirect_chain[-1][0], {"new_password1": password, "new_password2": password})
    assert answer.status_code == 302
    assert Client().get(urlsplit(link[1]).path).status_code == 200
    assert "invalid" in Client().get(urlsplit(link[1]).path).content.decode().lower()
    assert browser.login(username="ada@example.com", password=password)
    assert edition.title in browser.get("/desk/").content.decode()
    assert browser.get(ADD).status_code == 302


def test_what_is_wrong_is_said(chief: Client, publication: Publication) -> None:
    assert "Give at least one role" in chief.post(ADD, {"email": "a@example.com"}).content.decode()
    answer = chief.post(ADD, {"email": "nobody", f"role-{publication.pk}": "emperor"})
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"email", f"role-{publication.pk}"}
    assert get_user_model().objects.count() == 1


def test_roles_are_changed_and_taken_away(chief: Client, make_user: Make, publication: Publication) -> None:
    bob = make_user("bob", "writer", publication=publication)
    data = {"full_name": "Bob", "email": "bob@example.com", "role-all": ""}

    chief.post(person_url(bob), {**data, f"role-{publication.pk}": "publisher"})
    assert Membership.objects.get(user=bob).role == "publisher"
    chief.post(person_url(bob), {**data, f"role-{publication.pk}": ""})
    assert not Membership.objects.filter(user=bob).exists()


def test_deactivating_is_asked_first_and_ends_the_sessions(chief: Client, make_user: Make) -> None:
    bob, theirs = make_user("bob", "writer"), Client()
    theirs.force_login(bob)

    assert "Yes, deactivate" in chief.get(person_url(bob, "deactivate/")).content.decode()
    assert theirs.get("/desk/").status_code == 200
    chief.post(person_url(bob, "deactivate/"))
    assert theirs.get("/desk/").status_code == 302
    chief.post(person_url(bob, "activate/"))
    bob.refresh_from_db()
    assert bob.is_active
    assert chief.get(person_url(bob, "delete/")).status_code == 404


def test_the_last_administrator_cannot_leave(chief: Client) -> None:
    me = get_user_model().objects.get(username="chief")

    answer = chief.post(person_url(me), {"full_name": "Grace", "email": me.email, "role-all": "writer"})
    assert "last person who can manage the whole team" in answer.content.decode()
    chief.post(person_url(me, "deactivate/"))

    me.refresh_from_db()
    assert me.is_active
    assert Membership.objects.get(user=me).role == "administrator"


def test_who_administers_one_publication_takes_over_nobody(
    client: Client, make_user: Make, publication: Publication
) -> None:
    client.force_login(make_user("one", "administrator", publication=publication))
    root = make_user("root", is_superuser=True)
    for_all = make_user("for-all", "editor")

    page = client.get(person_url(for_all)).content.decode()
    assert 'name="role-all"' not in page
    assert "Managed by others: Editor of all publications" in page
    for person in (root, for_all):
        assert client.post(person_url(person, "link/")).status_code in {302, 403}
        data = {"email": "mine@example.com", "full_name": "Mine", "role-all": "administrator"}
        client.post(person_url(person), {**data, f"role-{publication.pk}": "analyst"})
        client.post(person_url(person, "deactivate/"))
        person.refresh_from_db()
        assert person.is_active
        assert person.email != "mine@example.com"
    assert Membership.objects.get(user=for_all, publication=None).role == "editor"
    assert Membership.objects.get(user=for_all, publication=publication).role == "analyst"
    assert client.post(person_url(root, "link/"), headers={"x-requested-with": "XMLHttpRequest"}).status_code == 403
