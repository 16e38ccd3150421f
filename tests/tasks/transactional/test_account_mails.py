"""Mails about accounts leave by the configured provider, and their links work once and not for ever."""

import re
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from composer.models import Publication
from newsdesk.core import redis_client
from newsdesk.core.login_environment import LoginEnvironment
from sandbox.server import Sandbox
from tasks.models import TransactionalMail
from tasks.providers.sendgrid.transport import SendGridTransport
from tasks.transactional import account_mails, submitting
from tests.factories import make_publication
from web.accounts import invitations
from web.accounts.invitations import CannotInviteError, send_invitation

pytestmark = pytest.mark.django_db

FORGOTTEN = "/desk/password_reset/"
NEW = "another fine day"


@pytest.fixture(autouse=True)
def public(settings: Any, valkey_url: str) -> None:
    settings.BASE_URL = "https://news.example.com"
    # Django's tests put another one in its place.
    settings.EMAIL_BACKEND = "tasks.transactional.account_mails.EmailBackend"
    # Where limits are counted: no test sees another's counts.
    redis_client.client(valkey_url).flushdb()
    cache.clear()


@pytest.fixture
def publication() -> Publication:
    return make_publication()


@pytest.fixture
def ada() -> Any:
    return get_user_model().objects.create_superuser("ada", "ada@example.com", "correct horse")


def link_in(mail: TransactionalMail) -> str:
    found = re.search(r"^https://news\.example\.com(/desk/\S+)$", mail.text, re.MULTILINE)
    assert found, mail.text
    return found[1]


def choose(client: Client, link: str, *names: str) -> Any:
    at = client.get(link, follow=True)
    where = at.redirect_chain[-1][0] if at.redirect_chain else link
    return client.post(where, dict.fromkeys(names, NEW))


def may_log_in(username: str, password: str) -> bool:
    return Client().post("/desk/login/", {"username": username, "password": password}).status_code == 302


def test_a_forgotten_password_is_set_anew(
    client: Client, ada: Any, publication: Publication, sandbox: Sandbox, transport: SendGridTransport
) -> None:
    answer = client.post(FORGOTTEN, {"email": "ada@example.com"}, headers={"host": "evil.example.com"})

    assert answer["Location"] == f"{FORGOTTEN}sent/"
    mail = TransactionalMail.objects.get()
    assert (mail.kind, mail.to_email, mail.from_email) == ("account", "ada@example.com", publication.from_email)
    assert "evil.example.com" not in mail.text + mail.html
    assert submitting.submit_waiting(transport=transport) == 1
    mail.refresh_from_db()
    assert mail.status == "submitted"
    assert sandbox.ledger.counts()["requests"] == 1

    link = link_in(mail)
    choose(client, link, "password1", "password2")
    assert may_log_in("ada", NEW)
    assert "Bad Token" in Client().get(link).content.decode()


def test_the_answer_is_the_same_for_an_address_that_nobody_has(
    client: Client, ada: Any, publication: Publication
) -> None:
    known = client.post(FORGOTTEN, {"email": "ada@example.com"}, follow=True)
    unknown = client.post(FORGOTTEN, {"email": "nobody@example.com"}, follow=True)

    assert known.redirect_chain == unknown.redirect_chain
    assert "If an account has that address" in unknown.content.decode()
    assert TransactionalMail.objects.count() == 1


def test_the_work_is_the_same_for_an_address_that_nobody_has(
    client: Client, ada: Any, publication: Publication
) -> None:
    def written(address: str) -> int:
        with CaptureQueriesContext(connection) as asked:
            client.post(FORGOTTEN, {"email": address})
        return sum('INSERT INTO "tasks_letter"' in query["sql"] for query in asked)

    assert [written("nobody@example.com"), written("ada@example.com")] == [1, 1]
    assert TransactionalMail.objects.get().to_email == "ada@example.com"
    assert not get_user_model().objects.exclude(pk=ada.pk).exists()


def test_nobody_is_flooded(client: Client, ada: Any, publication: Publication) -> None:
    answers = [client.post(FORGOTTEN, {"email": "ada@example.com"}).status_code for _ in range(5)]

    assert answers == [302, 302, 302, 429, 429]
    assert TransactionalMail.objects.count() == 3


def test_without_a_sender_the_page_says_so(client: Client, ada: Any) -> None:
    for answer in (client.get(FORGOTTEN), client.post(FORGOTTEN, {"email": "ada@example.com"})):
        assert answer.status_code == 200
        assert "cannot send mail yet" in answer.content.decode()
    assert not TransactionalMail.objects.exists()


def test_a_setting_names_the_sender(settings: Any, publication: Publication) -> None:
    assert account_mails.sender().endswith(f"<{publication.from_email}>")
    settings.LOGIN = LoginEnvironment(mail_from="Desk <desk@example.com>")
    assert account_mails.sender() == "Desk <desk@example.com>"


def test_an_invitation_lets_a_colleague_choose_a_password(
    client: Client, ada: Any, publication: Publication, sandbox: Sandbox, transport: SendGridTransport
) -> None:
    bob = get_user_model().objects.create_superuser("bob", "bob@example.com")
    assert not bob.has_usable_password()

    send_invitation(bob, by=ada)

    assert submitting.submit_waiting(transport=transport) == 1
    mail = TransactionalMail.objects.get()
    assert mail.subject == "ada invites you to the newsroom"
    link = link_in(mail)
    page = client.get(link)
    assert "bob" in page.content.decode()
    assert page["Referrer-Policy"] == "no-referrer"
    weak = client.post(link, {"new_password1": "password", "new_password2": "password"})
    assert "too common" in weak.content.decode()
    assert choose(client, link, "new_password1", "new_password2")["Location"] == "/desk/login/"
    assert may_log_in("bob", NEW)
    assert client.get(link).status_code == 410
    assert client.post(link, dict.fromkeys(("new_password1", "new_password2"), "yet another day")).status_code == 410


def test_an_invitation_expires(
    client: Client, ada: Any, publication: Publication, monkeypatch: pytest.MonkeyPatch
) -> None:
    send_invitation(ada, by=ada)
    link = link_in(TransactionalMail.objects.get())
    later = invitations.signing.time.time() + 72 * 3600 + 1
    monkeypatch.setattr(invitations.signing.time, "time", lambda: later)

    answer = client.get(link)

    assert answer.status_code == 410
    assert "works no more" in answer.content.decode()


def test_a_made_up_invitation_opens_nothing(client: Client, ada: Any) -> None:
    assert client.get("/desk/invitation/made:up:token/").status_code == 410


def test_who_cannot_be_invited_is_said(ada: Any, publication: Publication) -> None:
    nobody = get_user_model().objects.create_user("carol", "")
    with pytest.raises(CannotInviteError, match="carol has no mail address"):
        send_invitation(nobody, by=ada)
