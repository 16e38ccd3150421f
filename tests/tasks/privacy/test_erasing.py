"""Erased is erased: the address is in no table, no dump and no file any more."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from newsdesk.core.errors import RefusedError
from newsdesk.core.home import Home
from newsdesk.local_stack.engines import binaries
from sandbox.server import Sandbox
from subscribers import consent_ledger, erased
from subscribers.importing.run import import_csv
from subscribers.models import Consent, MergedReader, Subscriber, Subscription, Suppression, TrackingAnswer
from tasks.models import Batch, Delivery, Erasure, Event, Receipt, TransactionalMail
from tasks.privacy import erasing, erasing_tables
from tasks.privacy.erasing import erase
from tasks.providers.file.transport import FileTransport
from tasks.providers.sendgrid.transport import SendGridTransport
from tests import factories
from tests.tasks.privacy.people import ADDRESS, NEIGHBOUR, Held, hold_everywhere

pytestmark = [pytest.mark.integration]
#: What must be nowhere afterwards: no name is like these by chance.
TRACES = ("ada.o'neil+news@example.com", "ada.o'neil+news%40example.com", "oslo-unique", "o'neil-unique", "203.0.113.9")


@pytest.fixture
def home(tmp_path: Path, settings: Any) -> Path:
    """A home with mails, leftovers and logs that name both people."""
    settings.HOME = Home(tmp_path / "home")
    settings.NEWSDESK_MAILDIR = settings.HOME.maildir
    for folder in ("logs", "maildir/new", "maildir/cur", "imports"):
        (settings.HOME.path / folder).mkdir(parents=True)
    return Path(settings.HOME.path)


def fill_home(home: Path, held: Held) -> None:
    for reader in (held.ada, held.neighbour):
        (home / f"maildir/new/7.{reader.pk}.f").write_text(f"To: {reader.name} <{reader.email}>\n\nHi\n")
        (home / f"maildir/cur/{reader.pk}-x.f:2,S").write_text(f"To: <{reader.email.upper()}>\n\nHi")
    lines = f"{{'to': '{ADDRESS}'}}\nbetween\n{{'to': '{NEIGHBOUR}'}}\n"
    (home / "logs/worker.log").write_text(lines)
    (home / "imports/rejected.csv").write_text(f"email,name\n{ADDRESS},Ada O'Neil-Unique\n{NEIGHBOUR},B\n")


def traces_in(text: str) -> list[str]:
    lower = text.lower()
    # The neighbour's address holds the person's as its tail.
    lower = lower.replace(NEIGHBOUR, "").replace(NEIGHBOUR.replace("@", "%40"), "")
    return [trace for trace in TRACES if trace in lower]


def dump() -> str:
    at = connection.settings_dict
    command = [
        str(binaries.postgres("") / "pg_dump"),
        "--host",
        at["HOST"],
        "--port",
        "5432",
        "--username",
        "app",
        "--dbname",
        at["NAME"],
        "--inserts",
    ]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    # Bytes stand there in hexadecimal, and quotes are doubled.
    plain = re.sub(r"\\x((?:[0-9a-f]{2})+)", lambda found: bytes.fromhex(found[1]).decode("utf-8", "replace"), text)
    return plain.replace("''", "'")


@pytest.mark.django_db(transaction=True)
def test_neither_a_dump_nor_the_home_nor_the_data_files_hold_the_address(
    transport: SendGridTransport, sandbox: Sandbox, home: Path, database_home: Home
) -> None:
    held = hold_everywhere()
    fill_home(home, held)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    assert traces_in(dump()) == list(TRACES)
    neighbours = dump().lower().count(NEIGHBOUR)

    done = erase(ADDRESS, who="a test", transport=transport, rewrite=True)

    assert done.complete
    after = dump()
    assert traces_in(after) == [], [line[-700:] for line in after.splitlines() if traces_in(line)]
    assert after.lower().count(NEIGHBOUR) == neighbours
    files = [file for file in home.rglob("*") if file.is_file()]
    assert traces_in("\n".join(f"{file}\n{file.read_text()}" for file in files)) == []
    assert {file.parent.name for file in files if NEIGHBOUR in file.read_text().lower()} == {
        "new",
        "cur",
        "logs",
        "imports",
    }
    assert (home / "logs/worker.log").read_text().count("\n") == 3
    with connection.cursor() as cursor:
        cursor.execute("SELECT oid FROM pg_database WHERE datname = current_database()")
        ((oid,),) = cursor.fetchall()
        cursor.execute("CHECKPOINT")
    data = database_home.path / "engines" / "postgres" / "base" / str(oid)
    found = subprocess.run(
        ["grep", "-rliaE", r"(^|[^b])ada\.o'neil\+news@example\.com", str(data)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert (found.returncode, found.stdout) == (1, ""), found.stdout + found.stderr
    assert Subscriber.objects.get().email == NEIGHBOUR


@pytest.mark.django_db
def test_what_stays_is_a_keyed_hash_and_numbers(transport: SendGridTransport, home: Path) -> None:
    held = hold_everywhere()

    done = erase(ADDRESS, who="a test", transport=transport)

    mine = Suppression.objects.filter(reason="erased")
    assert [row.address for row in mine] == [erased.erased_address(ADDRESS)]
    assert not Subscription.objects.filter(subscriber_id=held.ada.pk).exists()
    assert Consent.objects.filter(subscriber=None).count() == 4
    assert consent_ledger.verify().problems == []
    assert Delivery.objects.filter(subscriber_id=held.ada.pk).exists()
    assert MergedReader.objects.get().kept == held.neighbour
    assert TrackingAnswer.objects.get(subscriber=None).answer == "granted"
    assert set(Event.objects.filter(subscriber_id=held.ada.pk).values_list("agent", flat=True)) == {""}
    kept = Erasure.objects.get()
    assert (kept.who, kept.subscriber_id, kept.provider_answer["status"]) == ("a test", None, 202)
    assert "job_id" in kept.provider_answer["body"]
    assert done.rows["subscribers_subscriber"]
    # Nobody has applied it yet: it still proves that the request was accepted.
    waiting = map(bytes, Receipt.objects.filter(applied_at=None).values_list("body", flat=True))
    assert any(b'"open"' in body and f"{held.world.send.pk}.{held.ada.pk}".encode() in body for body in waiting)


@pytest.mark.django_db
def test_the_erased_reader_is_never_imported_again(transport: SendGridTransport, home: Path, tmp_path: Path) -> None:
    held = hold_everywhere()
    erase(ADDRESS, who="a test", transport=transport)
    file = tmp_path / "people.csv"
    file.write_text(f"email\n{ADDRESS}\nnew@example.com\n")

    report = import_csv(file, publication_id=held.readers.publication_id, list_slug="readers")

    assert report.rejected == ((2, "this reader asked to be erased"),)


@pytest.mark.django_db
def test_erasing_again_changes_nothing(transport: SendGridTransport, home: Path) -> None:
    hold_everywhere()
    erase(ADDRESS, who="a test", transport=transport)

    again = erase(ADDRESS, who="a test", transport=transport)

    assert (again.rows, again.files, again.complete) == ({}, 0, True)
    assert Suppression.objects.filter(reason="erased").count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("step", range(6))
def test_what_was_broken_off_goes_on(
    transport: SendGridTransport, home: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """Killed at whichever step: the reader is not written to from then on, and asking again ends it."""
    held = hold_everywhere()
    fill_home(home, held)
    steps = [
        (erasing, "_wait_until_nothing_is_posted"),
        (erasing, "_ask_provider"),
        (erasing_tables, "_erase_suppressions"),
        (erasing_tables, "_erase_reader"),
        (erasing, "erase_from_files"),
        (erasing, "vacuum"),
    ]
    with monkeypatch.context() as patch:
        patch.setattr(*steps[step], lambda *_args, **_more: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            erase(ADDRESS, who="a test", transport=transport)
    assert erased.is_erased(ADDRESS)
    assert Erasure.objects.get().finished_at is None

    assert erase(ADDRESS, who="a test", transport=transport).complete

    assert Erasure.objects.count() == 1
    assert not Subscriber.objects.filter(pk=held.ada.pk).exists()
    assert not Event.objects.filter(subscriber_id=held.ada.pk).exclude(agent="").exists()
    assert not [file for file in home.rglob("*") if file.is_file() and traces_in(file.read_text())]


@pytest.mark.django_db
def test_it_waits_for_a_request_that_is_being_posted(transport: SendGridTransport, home: Path) -> None:
    held = hold_everywhere()
    Batch.objects.filter(pk=held.world.batch.pk).update(status="submitting")

    with pytest.raises(RefusedError, match="Run erase-reader again"):
        erase(ADDRESS, who="a test", transport=transport, patience=0)
    assert Subscriber.objects.filter(pk=held.ada.pk).exists()

    def settle(_seconds: float) -> None:
        Batch.objects.filter(pk=held.world.batch.pk).update(status="submitted")

    assert erase(ADDRESS, who="a test", transport=transport, wait=settle).complete


@pytest.mark.django_db
def test_a_single_mail_that_waits_is_not_sent(transport: SendGridTransport, home: Path) -> None:
    factories.make_transactional_mail("ADA@example.com")

    erase("ada@example.com", who="a test", transport=transport)

    assert not TransactionalMail.objects.exists()


@pytest.mark.django_db
def test_the_sandbox_forgets_too(transport: SendGridTransport, sandbox: Sandbox, home: Path) -> None:
    mail = factories.make_transactional_mail("ada@example.com")
    from tasks.transactional.submitting import submit_mail

    assert submit_mail(mail.pk, transport=transport)
    assert sandbox.ledger.messages(address="ada@example.com")

    erase("ada@example.com", who="a test", transport=transport)

    assert not sandbox.ledger.messages(address="ada@example.com")
    assert sandbox.ledger.accepted() == 1


@pytest.mark.django_db
def test_a_provider_that_refuses_is_asked_again(transport: SendGridTransport, home: Path) -> None:
    hold_everywhere()
    away = SendGridTransport(api_key="SG.wrong", host=transport.api.host)

    first = erase(ADDRESS, who="a test", transport=away)

    assert (first.complete, first.answer and first.answer.status) == (False, 401)
    assert not Subscriber.objects.filter(email=ADDRESS).exists()
    assert erase(ADDRESS, who="a test", transport=transport).complete


@pytest.mark.django_db
def test_a_provider_that_keeps_nothing_is_not_asked(home: Path) -> None:
    done = erase("ada@example.com", who="a test", transport=FileTransport(home / "maildir"))

    assert (done.complete, done.answer) == (True, None)


@pytest.mark.django_db
def test_erased_again_after_a_restore_the_reader_is_gone_and_an_open_erasure_stays_open(home: Path) -> None:
    back, unfinished = factories.make_subscriber(), factories.make_subscriber()
    Erasure.objects.create(address=erased.erased_address(unfinished.email), who="before the backup")

    erasing.erase_again([back.email, unfinished.email], who="a restore")

    assert not Subscriber.objects.exists()
    assert erased.is_erased(back.email)
    assert [(one.who, one.finished_at is None) for one in Erasure.objects.order_by("pk")] == [
        ("before the backup", True), ("a restore", False)
    ]  # fmt: skip
