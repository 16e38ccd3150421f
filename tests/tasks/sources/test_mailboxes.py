"""A mailbox on a real IMAP server on loopback: each mail once, marked as read once it was taken."""

import datetime as dt
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from composer.models import Publication, Source, Story
from newsdesk.core.mailbox_account import MailboxAccount
from tasks.imap import folders
from tasks.sources import mailboxes, mails, polling
from tests.certificates import certificate_in
from tests.factories import make_publication
from tests.imap_server import ImapServer, running
from tests.mails import DIGEST, FORWARDED, mail
from tests.waiting import LONG

pytestmark = pytest.mark.django_db

USER, PASSWORD = "stories@news.example", "pw1"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate_in(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def server(certificate: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[ImapServer]:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with running(ImapServer(tls=context, users={USER: PASSWORD})) as server:
        settings.MAILBOXES = (MailboxAccount(username=USER, host="127.0.0.1", port=server.port, password=PASSWORD),)
        yield server


@pytest.fixture
def publication() -> Publication:
    return make_publication()


@pytest.fixture
def source(server: ImapServer, publication: Publication) -> Source:
    return Source.objects.create(
        publication=publication,
        url=f"imaps://{USER}@127.0.0.1:{server.port}/Stories",
        senders="ed@news.example, @press.example",
        topic="City",
    )


def poll(source: Source) -> polling.Polled:
    Source.objects.filter(pk=source.pk).update(next_poll_at=timezone.now())
    polled = polling.poll_due()
    source.refresh_from_db()
    return polled


def headlines() -> set[str]:
    return set(Story.objects.values_list("headline", flat=True))


def test_each_mail_becomes_stories_once(server: ImapServer, source: Source) -> None:
    server.add(mail("Fwd: Quay closes", FORWARDED, message_id="<1@x>"))
    server.add(mail("The week", DIGEST, message_id="<2@x>", sender="Desk <desk@press.example>"))

    assert poll(source) == polling.Polled(sources=1, stories=3)
    assert server.seen == {11, 12}
    server.seen.clear()  # as somebody may do in a mail program
    Story.objects.all().delete()
    assert poll(source) == polling.Polled(sources=1)
    assert (server.seen, headlines()) == ({11, 12}, set())
    assert (source.error, source.failures) == ("", 0)
    assert set(server.folders) == {'"Stories"'}


def test_filters_and_topics(server: ImapServer, source: Source) -> None:
    Source.objects.filter(pk=source.pk).update(include="trams")
    server.add(mail("The week", DIGEST))
    poll(source)
    assert set(Story.objects.values_list("headline", "topics")) == {("Trams run again", "City")}


def test_other_senders_stay_unread_and_are_named(server: ImapServer, source: Source) -> None:
    server.add(mail("Win now", "Money.", sender="Ed Ito <ed@evil.example>"))
    server.add(mail("Roof", "The market has a new roof."))

    for _ in range(2):
        poll(source)
        assert "ed@evil.example is not among the senders" in source.error
    assert (server.seen, headlines()) == ({12}, {"Roof"})

    source.senders = "evil.example"
    source.save()
    poll(source)
    assert (source.error, "Win now" in headlines()) == ("", True)


def test_one_that_cannot_be_read_keeps_no_other_waiting(server: ImapServer, source: Source) -> None:
    server.add(mail("Empty", ""))
    server.add(mail("Roof", "The market has a new roof."))

    assert poll(source).stories == 1
    assert server.seen == {12}
    assert "the mail has no text" in source.error


def test_what_is_too_large_is_not_fetched(server: ImapServer, source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mails, "MOST_BYTES", 1000)
    server.add(mail("Roof", "The market has a new roof. " * 100))
    poll(source)
    assert (server.commands.count("FETCH"), server.seen) == (1, set())
    assert "it has more than" in source.error


def test_nothing_is_lost_where_marking_fails(server: ImapServer, source: Source) -> None:
    server.add(mail("Roof", "The market has a new roof.", message_id="<1@x>"))
    server.refuses = "STORE"
    assert poll(source).stories == 1
    assert "could not be marked as read" in source.error

    server.refuses = ""
    assert poll(source).stories == 0
    assert (source.error, server.seen, headlines()) == ("", {11}, {"Roof"})


def test_marks_mean_nothing_in_a_folder_made_anew(server: ImapServer, source: Source) -> None:
    mailboxes.mark_as_read(source, b"6", [b"11"])
    assert server.seen == set()


@pytest.mark.parametrize("command", ["LOGIN", "SEARCH", "FETCH"])
def test_a_server_that_hangs_is_asked_less_often(
    command: str, server: ImapServer, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "ANSWER_SECONDS", 0.3)
    server.add(mail("Roof", "The market has a new roof."))
    server.hangs_at = command
    begun = time.monotonic()

    assert poll(source) == polling.Polled(sources=1, failed=1)
    assert time.monotonic() - begun < LONG / 2
    assert (source.failures, source.error) == (1, "the mailbox's server does not answer in time")
    assert source.next_poll_at > timezone.now() + dt.timedelta(minutes=50)

    server.hangs_at = ""
    monkeypatch.setattr(folders, "ANSWER_SECONDS", LONG)
    assert poll(source).stories == 1
    assert (source.failures, source.error) == (0, "")


def test_a_connection_has_an_end(server: ImapServer, source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "MOST_SECONDS", 0.3)
    server.hangs_at = "SEARCH"
    assert poll(source).failed == 1
    assert "does not answer" in source.error


def test_a_wrong_password(server: ImapServer, source: Source) -> None:
    server.users[USER] = "other"
    assert poll(source).failed == 1
    assert source.error == "the server does not let us in: wrong user or password in NEWSDESK_MAILBOXES"


def test_passwords_go_to_their_own_host_only(server: ImapServer, source: Source) -> None:
    source.url = f"imaps://{USER}@localhost:{server.port}/INBOX"
    source.save()
    poll(source)
    assert "no such user and host" in source.error
    assert server.commands == []


def test_a_certificate_must_be_valid(server: ImapServer, source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    poll(source)
    assert source.error == "its certificate is not valid"


@pytest.mark.parametrize(
    ("path", "quoted"),
    [
        ("", '"INBOX"'),
        ("/A%20b", '"A b"'),
        ("/Entw%C3%BCrfe", '"Entw&APw-rfe"'),
        ("/a&b", '"a&-b"'),
        ('/a"b', r'"a\"b"'),
    ],
)
def test_folders_by_any_name(path: str, quoted: str) -> None:
    assert folders._quoted(mailboxes._folder(f"imaps://me@host{path}")) == quoted
