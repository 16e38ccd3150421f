"""The bounce mailbox on a real IMAP server on loopback: reports are taken in and marked as read, all other mail is left alone."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache

from newsdesk.core.mailbox_account import MailboxAccount, MailboxFolder
from tasks.celery_tasks import poll_bounces
from tasks.feedback import applying, bounce_mailbox
from tasks.feedback.delivery_reports import TakenIn
from tasks.imap import folders
from tasks.models import Alarm, Receipt
from tasks.providers.smtp import delivery_status
from tests.certificates import certificate_in
from tests.delivery_reports import report
from tests.factories import make_editor
from tests.imap_server import ImapServer, running
from tests.reports import World, make_world, suppressions
from tests.tasks.feedback.test_delivery_reports import foreign, sealed

pytestmark = pytest.mark.django_db

USER, PASSWORD = "bounces@news.example", "pw1"
PLAIN = b"From: ann@example.net\nContent-Type: text/plain\n\nI liked it.\n"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate_in(tmp_path_factory.mktemp("tls"))


@pytest.fixture(autouse=True)
def fresh() -> None:
    cache.clear()


@pytest.fixture
def server(certificate: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[ImapServer]:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with running(ImapServer(tls=context, users={USER: PASSWORD})) as server:
        account = MailboxAccount(username=USER, host="127.0.0.1", port=server.port, password=PASSWORD)
        settings.BOUNCE_MAILBOX = MailboxFolder(account=account, folder="Bounces")
        yield server


@pytest.fixture
def world() -> World:
    return make_world(2)


def written(mail: bytes) -> bytes:
    return mail.replace(b"\r\n", b"\n")


def test_reports_are_taken_in_once_and_marked_as_read(server: ImapServer, world: World) -> None:
    ann = world.readers[0].email
    ours = server.add(written(report(sealed(world), ann)))
    theirs = server.add(written(report("x" * 72, ann, form="sendmail")))
    letter = server.add(PLAIN)

    assert (bounce_mailbox.poll(), server.seen) == (
        TakenIn(reports=1, events=1, foreign=1, receipt=Receipt.objects.get().pk),
        {ours, theirs},
    )
    assert letter not in server.seen
    assert set(server.folders) == {'"Bounces"'}
    applying.apply_receipt(Receipt.objects.get().pk)
    assert suppressions() == {(ann, "hard_bounce", None)}
    assert foreign() == 1

    server.commands.clear()
    assert bounce_mailbox.poll() == TakenIn()
    assert "STORE" not in server.commands


def test_a_flood_is_taken_in_piece_by_piece_within_its_time(
    server: ImapServer, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounce_mailbox, "MOST_FETCHED", 2)
    for _ in range(5):
        server.add(written(report("x" * 72, world.readers[0].email)))
    ours = server.add(written(report(sealed(world), world.readers[0].email)))

    taken = bounce_mailbox.poll()

    assert taken is not None
    assert (taken.foreign, taken.reports, len(server.seen)) == (5, 1, 6)
    server.seen.clear()
    monkeypatch.setattr(bounce_mailbox, "MOST_SECONDS", -1.0)
    assert bounce_mailbox.poll() == TakenIn(foreign=2)
    assert ours not in server.seen


@pytest.mark.parametrize(("searches", "taken"), [(True, 2), (False, 1)])
def test_answers_to_an_edition_bury_no_report(
    searches: bool, taken: int, server: ImapServer, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the server does not search in headers the newest are looked at, as far as that goes."""
    monkeypatch.setattr(bounce_mailbox, "MOST_LISTED", 3)
    server.searches_headers = searches
    server.add(written(report(sealed(world), world.readers[0].email)))
    for _ in range(5):
        server.add(PLAIN)
    server.add(written(report(sealed(world, 1), world.readers[1].email)))

    found = bounce_mailbox.poll()

    assert found is not None
    assert (found.reports, len(server.seen)) == (taken, taken)


def test_a_server_that_forgets_what_was_read_is_not_asked_in_circles(server: ImapServer, world: World) -> None:
    server.add(written(report(sealed(world), world.readers[0].email)))
    server.forgets_marks = True

    assert bounce_mailbox.poll() is None
    assert Receipt.objects.count() == 1


def test_of_a_large_report_only_the_beginning_is_fetched(
    server: ImapServer, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail = report(sealed(world), world.readers[0].email)
    monkeypatch.setattr(delivery_status, "MOST_BYTES", mail.index(b"Content-Description: Undelivered Message Headers"))
    server.add(written(mail) + b"x" * 100_000)

    taken = bounce_mailbox.poll()

    assert taken is not None
    assert taken.reports == 1


def test_what_could_not_be_marked_is_taken_in_again_and_changes_nothing(server: ImapServer, world: World) -> None:
    server.add(written(report(sealed(world), world.readers[0].email)))
    server.refuses = "STORE"

    assert bounce_mailbox.poll() is None
    server.refuses = ""
    assert bounce_mailbox.poll() is not None

    for receipt in Receipt.objects.order_by("pk"):
        applying.apply_receipt(receipt.pk)
    assert Receipt.objects.count() == 2
    assert world.counts() == {"bounced": 1}


@pytest.mark.parametrize("command", ["LOGIN", "EXAMINE", "SEARCH", "FETCH"])
def test_a_mailbox_that_cannot_be_read_is_for_the_next_poll(command: str, server: ImapServer, world: World) -> None:
    server.add(written(report(sealed(world), world.readers[0].email)))
    server.refuses = command

    assert bounce_mailbox.poll() is None
    assert (Receipt.objects.count(), server.seen) == (0, set())


def test_a_mailbox_that_stays_shut_is_an_alarm_until_it_is_read(
    server: ImapServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_world()
    make_editor("ada")
    server.users[USER] = "another"
    now = [1_000_000.0]
    monkeypatch.setattr(
        bounce_mailbox, "time", type("Clock", (), {"time": lambda: now[0], "monotonic": lambda: now[0]})
    )
    bounce_mailbox.poll()
    now[0] += 3599
    bounce_mailbox.poll()
    assert not Alarm.objects.exists()

    now[0] += 1
    bounce_mailbox.poll()
    bounce_mailbox.poll()

    alarm = Alarm.objects.get()
    assert alarm.code == "bounces_unread"
    assert "wrong user or password in NEWSDESK_BOUNCE_MAILBOX" in alarm.message
    assert PASSWORD not in alarm.message
    assert alarm.mailed_at is not None
    server.users[USER] = PASSWORD
    server.refuses = "EXAMINE"
    bounce_mailbox.poll()
    assert Alarm.objects.get() == alarm, "another reason is another alarm"
    server.refuses = ""
    bounce_mailbox.poll()
    assert not Alarm.objects.filter(cleared_at=None).exists()


def test_a_poll_ends_within_a_minute_and_leaves_the_rest_to_the_next(
    server: ImapServer, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounce_mailbox, "MOST_FETCHED", 1)
    # When it begins, and when each of its goes ends.
    moments = iter([0.0, 45.0, 45.5, 99.0])
    monkeypatch.setattr(bounce_mailbox, "time", type("Clock", (), {"monotonic": lambda: next(moments)}))
    for _ in range(4):
        server.add(written(report("x" * 72, world.readers[0].email)))

    assert bounce_mailbox.poll() == TakenIn(foreign=2)


@pytest.mark.parametrize("validity", [6, 8])
def test_in_a_mailbox_that_was_made_anew_meanwhile_nobodys_letter_is_marked_as_read(
    validity: int, server: ImapServer, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.add(written(report(sealed(world), world.readers[0].email)))
    take_in = bounce_mailbox.delivery_reports.take_in

    def taking_while_it_changes(mails: Any) -> TakenIn:
        server.validity = validity
        return take_in(mails)

    monkeypatch.setattr(bounce_mailbox.delivery_reports, "take_in", taking_while_it_changes)

    bounce_mailbox.poll()

    assert server.seen == set()
    assert Receipt.objects.count() == 1


@dataclass
class FullFolder:
    """A thousand unread reports, each of so many bytes."""

    size: int
    validity: bytes = b"7"

    def unread_with(self, _field: str, _words: str, most: int) -> list[bytes]:
        return [b"%d" % number for number in range(1000)][-most:]

    def listed(self, uids: list[bytes], _field: str) -> Iterator[folders.Listed]:
        for uid in uids:
            yield folders.Listed(uid, self.size, b"Content-Type: multipart/report; report-type=delivery-status\r\n")

    def body(self, uid: bytes, _most: int) -> bytes:
        return uid


@pytest.mark.parametrize(("size", "fetched"), [(4_000, 200), (256 * 1024, 64), (10**9, 64)])
def test_one_go_fetches_the_oldest_of_the_listed_and_no_more_than_sixteen_megabytes(
    size: int, fetched: int, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of it is in memory together."""

    @contextmanager
    def opened(*_: Any, **__: Any) -> Iterator[FullFolder]:
        yield FullFolder(size)

    monkeypatch.setattr(folders, "opened", opened)
    account = MailboxAccount(username=USER, host="127.0.0.1", port=1, password=PASSWORD)

    _, found = bounce_mailbox._fetch(MailboxFolder(account=account, folder="Bounces"))

    assert list(found) == [b"%d" % number for number in range(500, 500 + fetched)]


def test_without_a_mailbox_nothing_is_asked(settings: Any) -> None:
    settings.BOUNCE_MAILBOX = None

    assert bounce_mailbox.poll() is None
    poll_bounces()
