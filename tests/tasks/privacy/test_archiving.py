"""Deliveries that are kept no longer lie in a file of numbers, complete, before they are dropped."""

import csv
import gzip
import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from newsdesk.core.home import Home
from subscribers.models import MergedReader, Subscriber
from tasks.database import partitions
from tasks.models import Alarm, ArchivedSend, Batch, Delivery, Exclusion, Send
from tasks.preparation import preparing
from tasks.privacy import archiving, erasing, export
from tasks.privacy.retention import keep_periods
from tasks.providers.file.transport import FileTransport
from tasks.sends import archives, counts, recipient_report, scheduling
from tests import factories

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

DAYS = 800
LONG_AGO = timezone.now() - timedelta(days=DAYS + 1)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, settings: Any) -> Home:
    settings.HOME = Home(tmp_path)
    settings.NEWSDESK_MAILDIR = tmp_path / "maildir"
    settings.DELIVERY_DAYS = DAYS
    return Home(tmp_path)


@pytest.fixture
def sends(home: Home) -> list[Send]:
    """Two sends of a range, long over: somebody failed, left before their batch, or is in a cancelled batch. And one of today."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval('tasks_send_id_seq', 4000, false)")
    made = [factories.make_prepared_send(4), factories.make_prepared_send(2)]
    first = made[0]
    readers = list(
        Delivery.objects.filter(send_id=first.pk).order_by("subscriber_id").values_list("subscriber_id", flat=True)
    )
    Subscriber.objects.filter(pk=readers[0]).update(email="Ada@example.com")
    Subscriber.objects.filter(pk=readers[2]).update(email='"=a,b"@example.com')
    words = '550 5.1.1 <Ada@Example.com>: no such user; bounces+ada=40example.com@mx, "ada%40example.com"\n5,"",x'
    for reader, kind, reason, attempt in [
        (readers[0], "failed", words, 1),
        (readers[1], "excluded", "unsubscribed", 1),
    ]:
        Exclusion.objects.create(send_id=first.pk, subscriber_id=reader, kind=kind, reason=reason, attempt=attempt)
    batch = first.batches.get()
    Batch.objects.filter(pk=batch.pk).update(status="submitted", attempts=1, failed=1, excluded=1)
    cancelled = factories.make_batch(first, size=1, status="cancelled")
    Delivery.objects.filter(send_id=first.pk, subscriber_id=readers[3]).update(batch_id=cancelled.pk)
    Batch.objects.filter(pk=batch.pk).update(size=3)
    while Send.objects.order_by("pk").last().pk < 4008:  # type: ignore[union-attr]
        factories.make_send()
    Send.objects.filter(pk__lt=4008).update(status="sent", finished_at=LONG_AGO, created_at=LONG_AGO)
    Send.objects.filter(pk=4008).update(status="cancelled", created_at=timezone.now() - timedelta(days=2))
    return [Send.objects.get(pk=send.pk) for send in made]


def report(send: Send) -> bytes:
    pieces: list[bytes] = []
    recipient_report.write(send.pk, lambda piece: pieces.append(bytes(piece)))
    return b"".join(pieces)


def _without_words(rows: bytes) -> list[list[str]]:
    """But for the words of a provider, in which an address may stand."""
    read = list(csv.reader(io.StringIO(rows.decode(), newline="")))
    return [[cell for cell in row if "550" not in cell] for row in read]


def parts() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relname LIKE 'tasks\\_%\\_4000'")
        return {name for (name,) in cursor.fetchall()}


@pytest.mark.parametrize("sealed", [False, True])
def test_what_is_dropped_is_told_as_before(sends: list[Send], home: Home, *, sealed: bool) -> None:
    if sealed:
        assert partitions.seal_one() == "tasks_delivery_4000"
    before = [(report(send), recipient_report.summary(send.pk), counts.counts(send)) for send in sends]
    assert before[0][2].adds_up
    assert before[0][2].excluded == {"unsubscribed": 1, "cancelled": 1}

    assert keep_periods()["deliveries"] == 2

    assert parts() == set()
    assert not Delivery.objects.filter(send_id__in=[4000, 4001]).exists()
    for send, (rows, sums, counted) in zip(sends, before, strict=True):
        send.refresh_from_db()
        kept, of_send = report(send), f"send-{send.pk}.csv.gz"
        assert _without_words(kept) == _without_words(rows)
        assert recipient_report.summary(send.pk) == {**sums, "archived": of_send}
        assert counts.counts(send) == counted
        assert counts.as_json(send)["archived"] == of_send
        assert (home.ledgers / of_send).stat().st_mode & 0o777 == 0o600
    assert keep_periods()["deliveries"] == 0


def test_no_file_has_an_address(sends: list[Send], home: Home) -> None:
    keep_periods()

    text = gzip.decompress((home.ledgers / "send-4000.csv.gz").read_bytes()).decode().lower()
    assert "550 5.1.1" in text
    assert "ada" not in text
    assert "@" not in text


def test_who_is_erased_is_found_nowhere(sends: list[Send], home: Home) -> None:
    keep_periods()
    assert b"Ada@example.com" in report(sends[0])

    erasing.erase("ada@example.com", who="test", transport=FileTransport(home.path / "maildir"))

    assert b"example.com" in report(sends[0])
    assert b"ada" not in report(sends[0]).lower()


def test_nothing_is_dropped_by_default_nor_before_its_time(sends: list[Send], settings: Any) -> None:
    settings.DELIVERY_DAYS = 0
    assert keep_periods()["deliveries"] == 0
    settings.DELIVERY_DAYS = DAYS + 2
    assert keep_periods()["deliveries"] == 0
    assert len(parts()) == 2


def test_a_rule_that_looks_further_back_keeps_them(sends: list[Send], settings: Any) -> None:
    publication = sends[0].edition.publication
    publication.sunset_editions, publication.sunset_weeks = 5, 120
    publication.save()
    settings.DELIVERY_DAYS = 100

    assert keep_periods()["deliveries"] == 0

    publication.sunset_weeks = 50
    publication.save()
    assert keep_periods()["deliveries"] == 2


def test_broken_off_it_is_done_again(sends: list[Send], home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    before = report(sends[1])
    step = archiving.expire(DAYS)
    next(step)
    step.close()
    (home.ledgers / "send-4001.csv.gz").write_bytes(b"half of")

    def die(*_: object, **__: object) -> None:
        raise OSError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(archiving, "record_action", die)
        with pytest.raises(OSError, match="killed"):
            keep_periods()
    assert len(parts()) == 2
    assert not ArchivedSend.objects.filter(dropped_at__isnull=False).exists()

    assert keep_periods()["deliveries"] == 2
    assert report(sends[1]) == before


def test_what_changes_after_it_was_archived_is_archived_again(sends: list[Send]) -> None:
    step = archiving.expire(DAYS)
    assert [next(step), next(step)] == [0, 0]
    Delivery.objects.filter(send_id=4001).update(seen=Delivery.Seen.DELIVERED)

    assert next(step) == 0
    assert len(parts()) == 2

    assert keep_periods()["deliveries"] == 2


def test_an_edition_that_is_still_to_be_sent_keeps_its_deliveries(sends: list[Send]) -> None:
    again = Send.objects.create(approval=sends[0].approval, edition=sends[0].edition, scheduled_at=timezone.now())

    assert keep_periods()["deliveries"] == 0

    again.status = "cancelled"
    again.save()
    assert keep_periods()["deliveries"] == 2


def test_an_edition_that_nobody_knows_the_readers_of_goes_to_nobody(sends: list[Send]) -> None:
    keep_periods()
    edition, lists = sends[0].edition, list(sends[0].lists.all())

    with pytest.raises(scheduling.SchedulingError, match="the deliveries of send 4000 are archived"):
        scheduling.schedule(edition, lists=lists)

    # Whatever else may have made a send.
    made = Send.objects.create(approval=sends[0].approval, edition=edition, scheduled_at=timezone.now())
    made.lists.set(lists)
    assert preparing.prepare(made.pk) is None
    made.refresh_from_db()
    assert (made.status, Delivery.objects.filter(send_id=made.pk).count()) == ("paused", 0)
    assert "the deliveries of send 4000 are archived" in made.pause_reason
    assert Alarm.objects.filter(send_id=made.pk).exists()


def test_a_persons_export_looks_into_the_files(sends: list[Send]) -> None:
    reader = Subscriber.objects.get(email="Ada@example.com")
    neighbour = Delivery.objects.filter(send_id=4001).values_list("subscriber_id", flat=True)[0]
    MergedReader.objects.create(gone_id=neighbour, kept=reader, who="test")
    keep_periods()

    pieces: list[str] = []
    export.write(pieces.append, "ada@example.com")

    rows = json.loads("".join(pieces))["archived_deliveries"]
    assert [(row["send"], row["outcome"], row["archived"]) for row in rows] == [
        (4000, "failed", "send-4000.csv.gz"),
        (4001, "pending", "send-4001.csv.gz"),
    ]


@pytest.mark.parametrize(("content", "words"), [(None, "is not there"), (b"other bytes", "is not as it was written")])
def test_a_file_that_is_lost_is_named(sends: list[Send], home: Home, content: bytes | None, words: str) -> None:
    keep_periods()
    file = home.ledgers / "send-4000.csv.gz"
    file.unlink()
    if content:
        file.write_bytes(content)

    with pytest.raises(archives.ArchiveUnreadableError, match=f"{file}.*{words}"):
        report(sends[0])


@pytest.mark.django_db(transaction=True)
def test_who_reads_is_not_disturbed(another: Any, sends: list[Send]) -> None:
    another.execute("SELECT count(*) FROM tasks_delivery_4000")

    assert keep_periods()["deliveries"] == 0

    another.connection.commit()
    assert len(parts()) == 2
    assert keep_periods()["deliveries"] == 2
