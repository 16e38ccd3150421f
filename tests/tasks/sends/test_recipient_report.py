"""One row for each candidate, and the same sums as the counts, whatever state a send is in."""

import csv
import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from newsdesk.core.errors import InputError
from subscribers.models import Consent, Subscriber
from tasks.attempts import exclusions
from tasks.feedback import unsubscribing
from tasks.models import Attempt, Batch, Exclusion, Send
from tasks.sends import recipient_report
from tasks.sends.counts import counts
from tests import factories
from tests.reports import World, deliver, make_world

pytestmark = pytest.mark.django_db


def rows(send: Send) -> list[dict[str, str]]:
    pieces: list[bytes] = []
    recipient_report.write(send.pk, lambda piece: pieces.append(bytes(piece)))
    return list(csv.DictReader(io.StringIO(b"".join(pieces).decode())))


def grouped(send: Send) -> dict[str, Any]:
    by_outcome = Counter(
        f"excluded: {row['reason']}" if row["outcome"] == "excluded" else row["outcome"] for row in rows(send)
    )
    return dict(by_outcome)


def as_counted(send: Send) -> dict[str, Any]:
    numbers = counts(send)
    excluded = {f"excluded: {reason}": number for reason, number in numbers.excluded.items()}
    outcomes = ("pending", "submitting", "submitted", "unknown", "failed")
    return {**excluded, **{name: number for name in outcomes if (number := getattr(numbers, name))}}


member = st.sampled_from(["", "", "", "hard_bounce", "unsubscribed", "failed"])
batches = st.lists(
    st.tuples(st.sampled_from(Batch.Status.values), st.lists(member, min_size=1, max_size=4)), max_size=5
)


@pytest.fixture
def send(db: None) -> Send:
    return factories.make_send(status=Send.Status.SENDING, prepared_at=timezone.now())


@pytest.mark.integration
@settings(max_examples=80)
@given(batches, st.lists(st.sampled_from(Exclusion.REASONS), max_size=4))
def test_the_ledger_sums_up_to_the_counts(send: Send, plan: list[tuple[str, list[str]]], excluded: list[str]) -> None:
    with transaction.atomic():
        for reason in excluded:
            reader = factories.make_subscriber()
            Exclusion.objects.create(send_id=send.pk, subscriber_id=reader.pk, kind="excluded", reason=reason)
        for status, members in plan:
            batch = factories.make_batch(send, size=len(members), status=status, attempts=1)
            for outcome in members:
                reader = factories.make_subscriber()
                factories.make_delivery(batch, reader)
                if outcome:
                    kind: Any = "failed" if outcome == "failed" else "excluded"
                    exclusions.exclude(batch.pk, send_id=send.pk, kind=kind, reasons={reader.pk: outcome}, attempt=1)
        candidates = len(excluded) + (Batch.objects.filter(send=send).aggregate(n=Sum("size"))["n"] or 0)
        Send.objects.filter(pk=send.pk).update(candidates=candidates, excluded=dict(Counter(excluded)))
        by_outcome, counted, sums = grouped(send), as_counted(send), recipient_report.summary(send.pk)
        transaction.set_rollback(True)
    assert sum(by_outcome.values()) == candidates == sums["rows"]
    assert by_outcome == counted
    summed = {f"excluded: {reason}": number for reason, number in sums["excluded"].items()}
    outcomes = ("pending", "submitting", "submitted", "unknown", "failed")
    assert {**summed, **{name: sums[name] for name in outcomes if sums[name]}} == counted


def test_a_row_tells_the_whole_way(db: None) -> None:
    world = make_world(1)
    Attempt.objects.filter(pk=world.attempt.pk).update(
        finished_at="2026-11-20T08:00:01Z", provider_id="abc.1", http_status=202
    )
    base = 1_760_000_000
    deliver(
        world.report(0, "delivered", timestamp=base),
        world.report(0, "open", timestamp=base + 5, useragent="Barracuda Sentinel (EE)"),
        world.report(0, "open", timestamp=base + 3600),
        world.report(0, "open", timestamp=base + 7200),
        world.report(0, "click", timestamp=base + 3700, url="https://example.com/1"),
        world.report(0, "spamreport", timestamp=base + 9000),
    )

    (row,) = rows(world.send)

    assert tuple(row) == recipient_report.COLUMNS
    assert row == {
        "subscriber": str(world.readers[0].pk),
        "email": world.readers[0].email,
        "outcome": "submitted",
        "reason": "",
        "batch": str(world.batch.pk),
        "attempt_number": "1",
        "attempt": str(world.attempt.pk),
        "provider_id": "abc.1",
        "http_status": "202",
        "submitted_at": "2026-11-20T08:00:01Z",
        "delivered_at": "2025-10-09T08:53:20Z",
        "bounced_at": "",
        "opened_at": "2025-10-09T09:53:20Z",
        "clicked_at": "2025-10-09T09:55:00Z",
        "complained_at": "2025-10-09T11:23:20Z",
        "unsubscribed_at": "",
    }


def test_whoever_was_excluded_names_the_last_request_they_were_in() -> None:
    world = make_world(3)
    second = factories.make_attempt(world.batch, number=2, outcome="accepted")
    Attempt.objects.filter(pk=world.attempt.pk).update(outcome="refused", http_status=400)
    Batch.objects.filter(pk=world.batch.pk).update(attempt=second.pk, attempts=2)
    for reader, kind, reason, attempt in ((0, "failed", "no such domain", 2), (1, "excluded", "unsubscribed", 1)):
        named: Any = kind
        exclusions.exclude(
            world.batch.pk,
            send_id=world.send.pk,
            kind=named,
            reasons={world.readers[reader].pk: reason},
            attempt=attempt,
        )

    columns = [(row["outcome"], row["reason"], row["attempt_number"], row["http_status"]) for row in rows(world.send)]

    assert columns == [
        ("failed", "no such domain", "1", "400"),
        ("excluded", "unsubscribed", "", ""),
        ("submitted", "", "2", ""),
    ]


def test_leaving_through_the_link_has_its_time() -> None:
    world = make_world(2)
    unsubscribing.unsubscribe(
        publication_id=world.send.edition.publication_id,
        send_id=world.send.pk,
        subscriber_id=world.readers[1].pk,
        source="one-click",
    )

    left = Consent.objects.get(kind="withdrawn").at
    assert [row["unsubscribed_at"] for row in rows(world.send)] == ["", f"{left:%Y-%m-%dT%H:%M:%SZ}"]


def test_an_erased_readers_address_is_empty(send: Send) -> None:
    reader = factories.make_subscriber()
    factories.make_delivery(factories.make_batch(send), reader)
    Subscriber.objects.filter(pk=reader.pk).delete()

    (row,) = rows(send)
    assert (row["subscriber"], row["email"], row["outcome"]) == (str(reader.pk), "", "pending")


def test_nothing_runs_in_a_spreadsheet(send: Send) -> None:
    batch = factories.make_batch(send, size=2)
    one, two = (factories.make_subscriber(email=email) for email in ("+1@example.com", 'a"b,c@example.com'))
    for reader in (one, two):
        factories.make_delivery(batch, reader)
    exclusions.exclude(batch.pk, send_id=send.pk, kind="failed", reasons={one.pk: "=HYPERLINK()"}, attempt=1)

    columns = [(row["email"], row["reason"]) for row in rows(send)]

    assert columns == [("'+1@example.com", "'=HYPERLINK()"), ('a"b,c@example.com', "")]


# The command


@pytest.fixture
def world() -> World:
    return make_world(3)


def test_the_command_sums_up_and_writes(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "ledger.csv"

    call_command("ledger", str(world.send.pk), "--csv", "--out", str(file), "--json")

    report = json.loads(capsys.readouterr().out)
    assert (report["send"], report["rows"], report["submitted"]) == (world.send.pk, 3, 3)
    assert len(file.read_text().splitlines()) == 4
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]
    call_command("ledger", str(world.send.pk))
    assert "3  submitted" in capsys.readouterr().out


def test_the_csv_goes_to_standard_output(world: World, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    call_command("ledger", str(world.send.pk), "--csv")

    lines = capfdbinary.readouterr().out.splitlines()
    assert lines[0] == ",".join(recipient_report.COLUMNS).encode()
    assert len(lines) == 4


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--out", "x.csv"], "goes with --csv"),
        (["--csv", "--json"], "both print"),
        (["--csv", "--out", "/no/x"], "/no/x"),
    ],
)
def test_what_does_not_fit_together(world: World, words: list[str], why: str) -> None:
    with pytest.raises(InputError, match=why):
        call_command("ledger", str(world.send.pk), *words)
