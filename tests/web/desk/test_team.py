"""The team's screen."""

import re
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from composer.models import Edition, Membership, Publication
from tasks.models import TransactionalMail
from tests.web.desk.conftest import Make, logged_in_just_now

pytestmark = pytest.mark.integration

ADD = "/desk/team/add/"


@pytest.fixture
def chief(client: Client, make_user: Make) -> Client:
    client.force_login(make_user("chief", "administrator", first_name="Grace", last_name="Hopper"))
    logged_in_just_now(client)
    return client


@pytest.fixture(autouse=True)
def mails_are_written_down(settings: Any) -> None:
    # Django's tests put another backend in its place.
    settings.EMAIL_BACKEND = "tasks.transactional.account_mails.EmailBackend"


def link_in(text: str) -> str:
    found = re.search(r"https://news\.example\.com(/desk/invitation/[^\s\"]+)", text)
    assert found is not None
    return found[1]


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


def test_whoever_is_added_gets_a_mail_and_sets_a_password_with_it_once(
    chief: Client, publication: Publication, edition: Edition
) -> None:
    answer = chief.post(
        ADD, {"full_name": "Ada King Lovelace", "email": "Ada@Example.com", f"role-{publication.pk}": "writer"}
    )

    ada = get_user_model().objects.get(email="ada@example.com")
    assert (ada.first_name, ada.last_name, ada.has_usable_password()) == ("Ada King", "Lovelace", False)
    page = answer.content.decode()
    assert "A mail to ada@example.com is on its way" in page
    assert "/desk/invitation/" not in page
    assert "Invited" in chief.get(reverse("desk_team")).content.decode()
    mail = TransactionalMail.objects.get()
    assert (mail.to_email, mail.subject) == ("ada@example.com", "Grace Hopper invites you to the newsroom")

    browser, link = Client(), link_in(mail.text)
    password = "rivers in the north 7"
    assert browser.post(link, {"new_password1": password, "new_password2": password}).status_code == 302
    assert Client().get(link).status_code == 410
    assert browser.post("/desk/login/", {"username": "ada@example.com", "password": password})["Location"] == "/desk/"
    assert edition.title in browser.get("/desk/").content.decode()
    assert browser.get(ADD).status_code == 302


def test_where_no_mail_can_be_sent_the_link_is_shown_and_the_page_says_so(chief: Client, db: None) -> None:
    answer = chief.post(ADD, {"email": "ada@example.com", "role-all": "writer"})

    page = answer.content.decode()
    assert "No mail was sent: no publication has a sender yet" in page
    assert "no-store" in answer.headers["Cache-Control"]
    assert not TransactionalMail.objects.exists()
    assert "ada@example.com" in Client().get(link_in(page)).content.decode()


def test_an_account_without_an_address_gets_its_link_on_the_page(
    chief: Client, make_user: Make, publication: Publication
) -> None:
    bob = make_user("bob", "writer")
    get_user_model().objects.filter(pk=bob.pk).update(email="")

    page = chief.post(person_url(bob, "link/")).content.decode()

    assert "No mail was sent: the account has no e-mail address" in page
    assert "bob" in Client().get(link_in(page)).content.decode()


def test_who_was_here_before_gets_no_invitation_but_a_link(
    chief: Client, make_user: Make, publication: Publication
) -> None:
    bob = make_user("bob", "writer", last_login=timezone.now())

    assert "A mail to bob@example.com is on its way" in chief.post(person_url(bob, "link/")).content.decode()

    mail = TransactionalMail.objects.get()
    assert mail.subject == "Your new password"
    assert "has made an account" not in mail.text


def test_nobody_is_flooded_with_invitations(chief: Client, make_user: Make, publication: Publication) -> None:
    bob = make_user("bob", "writer")
    pages = [chief.post(person_url(bob, "link/")).content.decode() for _ in range(5)]

    assert ["is on its way" in page for page in pages] == [True, True, True, False, False]
    assert "No mail was sent: there were many of them within the last hour." in pages[-1]
    assert "bob" in Client().get(link_in(pages[-1])).content.decode()
    assert TransactionalMail.objects.count() == 3


@pytest.mark.parametrize("what", ["add/", "{}/", "{}/link/", "{}/deactivate/"])
def test_every_change_of_the_team_takes_a_recent_login(make_user: Make, what: str) -> None:
    bob, old = make_user("bob", "writer"), Client()
    old.force_login(make_user("chief", "administrator", password="correct horse battery"))
    address = f"/desk/team/{what.format(bob.pk)}"
    data = {"email": "new@example.com", "role-all": "editor"}

    asked = old.post(address, data)

    assert asked["Location"].startswith("/desk/security/confirm/")
    assert not TransactionalMail.objects.exists()
    bob.refresh_from_db()
    assert bob.is_active
    assert Membership.objects.get(user=bob).role == "writer"
    assert not get_user_model().objects.filter(email="new@example.com").exists()


def test_what_is_wrong_is_said(chief: Client, publication: Publication) -> None:
    assert "Give at least one role" in chief.post(ADD, {"email": "a@example.com"}).content.decode()
    answer = chief.post(ADD, {"email": "nobody", f"role-{publication.pk}": "emperor"})
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"email", f"role-{publication.pk}"}
    assert get_user_model().objects.count() == 1


def test_roles_are_changed_and_taken_away(chief: Client, make_user: Make, publication: Publication) -> None:
    bob = make_user("bob", "writer", publication=publication)
    data = {"full_name": "Bob", "email": "bob@example.com", "role-all": ""}

    theirs = Client()
    theirs.force_login(bob)
    assert theirs.get("/desk/sources/").status_code == 302
    chief.post(person_url(bob), {**data, f"role-{publication.pk}": "publisher"})
    assert theirs.get("/desk/sources/").status_code == 200
    assert Membership.objects.get(user=bob).role == "publisher"
    chief.post(person_url(bob), {**data, f"role-{publication.pk}": ""})
    assert not Membership.objects.filter(user=bob).exists()
    assert theirs.get("/desk/")["Location"].startswith("/desk/login/")


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
    assert theirs.get("/desk/").status_code == 302, "the session ended with the account"
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
    logged_in_just_now(client)
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
