"""Taking back, sending to the rest, testing and alarms from the command line."""

import getpass
import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from newsdesk.core.errors import InputError, OperationFailedError
from newsdesk.management import sending
from tasks.alarms.raising import raise_alarm
from tasks.models import Alarm, Batch, Send, TransactionalMail
from tasks.sends import control, database_moved
from tasks.sends.audit_trail import record_action
from tests.factories import make_approval, make_attempt, make_batch, make_prepared_send, make_publication, make_send

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


@pytest.fixture
def me(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("LOGNAME", "bob")
    return "command line (bob)"


def text(command: str, *words: Any) -> str:
    out = StringIO()
    call_command(command, *map(str, words), stdout=out)
    return out.getvalue()


def run(command: str, *words: Any) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(text(command, *words, "--json"))
    return report


def test_each_act_is_in_the_history_with_who_and_why(me: str) -> None:
    send = make_prepared_send(2)

    run("pause", send.pk, "--why", "lunch")
    run("resume", send.pk)
    report = run("cancel", send.pk, "--why", "wrong list")

    assert [(line["what"], line["who"], line["why"]) for line in report["history"]] == [
        ("prepared", "Newsdesk", "2 candidates, 2 deliveries"),
        ("paused", me, "lunch"),
        ("resumed", me, ""),
        ("cancelled", me, "wrong list"),
    ]
    assert (report["status"], report["excluded"]) == ("cancelled", {"cancelled": 2})
    assert run("status", send.pk) == report
    assert "history" not in run("status")["sends"][0]
    send.refresh_from_db()
    assert f"cancelled by {me}: wrong list" in text("status", send.pk)


def test_what_may_be_out_already_is_not_resumed_and_says_what_to_do(me: str) -> None:
    send = make_send(2)
    database_moved.pause_for_moved_database(send.pk)

    with pytest.raises(
        OperationFailedError, match=r"cannot be resumed.*Cancel it, and schedule it again if it has not"
    ):
        run("resume", send.pk)


def test_a_pause_without_a_reason_says_where_it_came_from(me: str) -> None:
    send = make_prepared_send(1)

    assert run("pause", send.pk)["reason"] == "Paused from the command line."


def test_people_are_shown_the_last_ten_lines(me: str) -> None:
    send = make_send()
    for number in range(12):
        record_action(send.pk, "paused", why=f"reason {number:02}")

    shown = text("status", send.pk)

    assert len(run("status", send.pk)["history"]) == 12
    assert "reason 01" not in shown
    assert "reason 02" in shown
    assert "reason 11" in shown


def test_a_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 10001")

    monkeypatch.setattr(getpass, "getuser", nameless)
    monkeypatch.setattr("os.getuid", lambda: 10001)

    assert sending.at_the_command_line() == "command line (10001)"


def test_undo_takes_back_or_says_why_not(me: str) -> None:
    send = make_prepared_send(1)
    Send.objects.update(undo_until=timezone.now() + timedelta(minutes=1))

    report = run("undo", send.pk, "--why", "typo")

    assert (report["status"], report["history"][-1]["what"], report["history"][-1]["why"]) == (
        "cancelled",
        "undone",
        "typo",
    )
    with pytest.raises(OperationFailedError, match="cancelled already"):
        run("undo", send.pk)
    with pytest.raises(InputError, match="there is no send"):
        run("undo", send.pk + 1000)


def test_send_rest_says_how_many_it_may_reach(me: str) -> None:
    first = make_prepared_send(3)
    with pytest.raises(InputError, match=f"send {first.pk} is sending"):
        run("send_rest", first.pk)
    control.cancel(first.pk)

    report = run("send_rest", first.pk)

    assert report == {"send": Send.objects.latest("pk").pk, "rest_of": first.pk, "readers": 3}
    (line,) = run("status", report["send"])["history"]
    assert (line["who"], line["what"]) == (me, "scheduled")
    control.cancel(report["send"])
    assert "to 3 readers at most" in text("send_rest", first.pk)
    with pytest.raises(InputError, match="nobody lacks the edition because"):
        run("send_rest", first.pk, "--left-out")


def test_send_test_names_its_mails(me: str) -> None:
    edition = make_approval().edition

    report = run("send_test", edition.pk, "ada@example.com", "bob@example.com")

    first, second = TransactionalMail.objects.order_by("pk")
    assert report == {
        "edition": edition.pk,
        "subject": "[Test] The week in rivers",
        "letters": [{"id": first.pk, "to": "ada@example.com"}, {"id": second.pk, "to": "bob@example.com"}],
    }
    assert first.asked_by == me
    assert "on its way to ada@example.com" in text("send_test", edition.pk, "ada@example.com")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nobody",), "send-test: 'nobody' is not an address"),
        (("a@example.com", "--variant", "vip"), "send-test: no block of the edition is for vip"),
        (("a@example.com", "--as", "b@example.com"), "send-test: no subscriber has the address"),
    ],
)
def test_send_test_says_what_is_wrong(words: tuple[str, ...], said: str) -> None:
    edition = make_approval().edition

    with pytest.raises(InputError, match=said):
        run("send_test", edition.pk, *words)


def test_settle_keeps_the_reason(me: str) -> None:
    send = make_prepared_send(1)
    batch = Batch.objects.get(send=send)
    Batch.objects.update(status="unknown")

    run("settle", batch.pk, "--leave", "--why", "nobody asked")

    assert run("status", send.pk)["history"][-1]["why"] == f"batch {batch.pk}: leave. nobody asked"


def test_settle_takes_a_whole_send(me: str) -> None:
    send, other = make_prepared_send(1), make_prepared_send(1)
    left = Batch.objects.get(send=send)
    more = [make_batch(send), make_batch(send)]
    Batch.objects.update(status="unknown")
    make_attempt(left, outcome="unknown")
    Batch.objects.filter(pk=left.pk).update(attempt=left.attempt_rows.get().pk)
    run("settle", left.pk, "--leave")

    decided = run("settle", "--send", send.pk, "--resend")

    assert decided == {"send": send.pk, "batches": [batch.pk for batch in more], "decided": "resend"}
    assert set(Batch.objects.filter(status="unknown").values_list("send_id", "pk")) == {
        (send.pk, left.pk),
        (other.pk, Batch.objects.get(send=other).pk),
    }
    for words in (["--send", send.pk, "--resend"], ["--resend"], [left.pk, "--send", send.pk, "--leave"]):
        with pytest.raises(InputError):
            run("settle", *words)


def test_alarms_are_listed_and_cleared(me: str) -> None:
    assert text("alarms") == "no alarm is open\n"
    publication = make_publication()
    raise_alarm("slot_missed", "Nobody approved it.", publication_id=publication.pk)
    alarm = Alarm.objects.get()

    assert run("alarms") == {
        "alarms": [
            {
                "id": alarm.pk,
                "code": "slot_missed",
                "message": "Nobody approved it.",
                "send": None,
                "publication": publication.slug,
                "edition": None,
                "raised_at": alarm.raised_at.isoformat(timespec="seconds"),
                "mailed": False,
            }
        ]
    }
    assert f"{publication.slug}: Nobody approved it. [slot_missed]" in text("alarms")
    assert run("alarms", "--clear", alarm.pk) == {"cleared": alarm.pk}
    assert run("alarms") == {"alarms": []}
    with pytest.raises(InputError, match=f"no open alarm {alarm.pk}"):
        run("alarms", "--clear", alarm.pk)


def test_status_says_which_sends_wait_for_a_decision_about_readers_in_doubt() -> None:
    batch = make_batch(size=13, status="unknown")
    batch.attempt = make_attempt(batch, transport="smtp:1", outcome="unknown").pk
    batch.save()
    other = make_prepared_send(1)

    sends = {report["send"]: report for report in run("status")["sends"]}

    assert sends[batch.send_id]["in_doubt"].startswith("13 readers are in doubt")
    assert run("status", batch.send_id)["in_doubt"] == sends[batch.send_id]["in_doubt"]
    assert "in_doubt" not in sends[other.pk]
    assert "waits for you: 13 readers are in doubt" in text("status", batch.send_id)
