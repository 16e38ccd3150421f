"""`newsdesk restore` and `newsdesk drill`: a dump takes the database's place, and nothing is sent again by itself."""

import json
import os
import shutil
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core import management
from django.db import connection, connections
from django.utils import timezone

from newsdesk.core.errors import InputError, OperationFailedError
from newsdesk.local_stack import later_opt_outs, restoring
from newsdesk.local_stack.later_opt_outs import OptOuts
from sandbox.server import Sandbox
from subscribers import preferences, suppression, tracking
from subscribers.models import Consent, Subscriber, Subscription, Suppression
from tasks.database import high_water
from tasks.models import Alarm, Attempt, Batch, Erasure, Send
from tasks.preparation import preparing
from tasks.privacy import erasing
from tasks.providers.sendgrid.transport import SendGridTransport
from tasks.reconciliation import silence
from tasks.sends import control
from tasks.sends.counts import counts
from tasks.submission import posting, recovery
from tests.factories import (
    make_approval,
    make_attempt,
    make_edition,
    make_list,
    make_prepared_send,
    make_publication,
    make_send,
    make_subscriber,
)
from tests.tasks.submission.batches import readers_of

pytestmark = pytest.mark.integration


def _submit(send: Send, transport: SendGridTransport) -> None:
    posting.submit_batch(Batch.objects.get(send=send).pk, transport=transport)


def _restore(file: Path) -> dict[str, Any]:
    out = StringIO()
    management.call_command("restore", str(file), "--json", stdout=out)
    report: dict[str, Any] = json.loads(out.getvalue())
    return report


def test_what_went_out_after_the_dump_is_named_and_not_sent_again(
    dump: Any, sandbox: Sandbox, transport: SendGridTransport
) -> None:
    early = make_prepared_send(2)
    _submit(early, transport)
    running = make_prepared_send(3)
    waiting = make_send(1, scheduled_at=timezone.now())
    file = dump()
    _submit(running, transport)
    assert preparing.prepare_due() == 1
    _submit(waiting, transport)
    later = make_prepared_send(4)
    _submit(later, transport)
    title = later.edition.title

    report = _restore(file)

    assert [(line["send"], line["readers"]) for line in report["sent_after"]] == [
        (running.pk, 3), (waiting.pk, 1), (later.pk, 4)
    ]  # fmt: skip
    assert (report["forgotten"], report["held"], report["unbalanced"]) == (3, [running.pk, waiting.pk], [])
    assert counts(running).unknown == 3
    assert Alarm.objects.filter(message__contains=f"“{title}” went out to 4 readers").exists()
    recovery.recover()
    assert preparing.prepare_due() == 0
    assert posting.begin(transport) is None
    assert sandbox.ledger.counts()["accepted"] == 10
    assert not control.resume(waiting.pk)


def test_a_dump_that_somebody_else_restored_is_noticed(dump: Any, transport: SendGridTransport) -> None:
    """By `pg_restore`, which asks nobody."""
    _submit(make_prepared_send(2), transport)
    waiting = make_prepared_send(3)
    file = dump()
    connections.close_all()

    restoring._swap(str(connection.settings_dict["NAME"]), "newsdesk_before_1", file)
    recovery.recover()

    assert (counts(waiting).status, counts(waiting).pending) == ("paused", 3)
    assert control.resume(waiting.pk)


def test_the_newest_dump_holds_nothing(dump: Any, sandbox: Sandbox, transport: SendGridTransport) -> None:
    _submit(make_prepared_send(2), transport)
    waiting = make_prepared_send(3)
    report = _restore(dump())

    assert (report["sent_after"], report["held"], report["forgotten"]) == ([], [], 0)
    _submit(waiting, transport)
    assert sandbox.ledger.counts()["accepted"] == 5


def test_nothing_is_restored_while_something_runs(
    dump: Any, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restoring, "UNTIL_GONE", 1.0)
    file = dump()
    with psycopg.connect(database_url), pytest.raises(OperationFailedError, match="1 other connection to the database"):
        restoring.restore(file)


def test_who_is_about_to_leave_is_waited_for(dump: Any, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    send = make_prepared_send(2)
    file = dump()
    leaving = psycopg.connect(database_url)
    monkeypatch.setattr(restoring.time, "sleep", lambda seconds: leaving.close())

    restoring.restore(file)

    assert counts(send).pending == 2


def test_a_file_that_is_no_dump_changes_nothing(tmp_path: Path, database_url: str) -> None:
    file = tmp_path / "letter.txt"
    file.write_text("Dear reader")

    with pytest.raises(InputError, match="is not a dump of pg_dump --format=custom"):
        restoring.restore(file)
    with pytest.raises(InputError, match="there is no"):
        restoring.restore(tmp_path / "nothing")


def test_a_dump_that_breaks_off_leaves_all_as_before(dump: Any) -> None:
    send = make_prepared_send(2)
    file = dump()
    os.truncate(file, file.stat().st_size - 2000)

    with pytest.raises(OperationFailedError, match="all is as before"):
        restoring.restore(file)

    assert counts(send).pending == 2


def test_a_drill_restores_elsewhere_and_changes_nothing(dump: Any, transport: SendGridTransport) -> None:
    first, second = make_prepared_send(2), make_prepared_send(3)
    _submit(first, transport)
    file = dump()
    _submit(second, transport)
    mark = high_water.read(high_water.installation())
    out = StringIO()

    management.call_command("drill", str(file), "--json", stdout=out)

    report = json.loads(out.getvalue())
    assert (report["ok"], report["sends"], report["forgotten"], report["held"]) == (True, 2, 1, [second.pk])
    assert high_water.read(high_water.installation()) == mark
    assert counts(second).status == "sent"


def test_in_a_copied_home_even_the_newest_dump_holds_every_send(
    dump: Any, transport: SendGridTransport, valkey_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Redis did not answer the tests before.
    monkeypatch.setattr(high_water, "_redis", high_water._Redis())
    _submit(make_prepared_send(2), transport)
    waiting = make_prepared_send(3)
    file, mark = dump(), settings.HOME.marks / high_water.installation()
    Path(shutil.copy2(mark, mark.with_name("copy"))).replace(mark)
    out = StringIO()

    management.call_command("drill", str(file), "--json", stdout=out)
    assert json.loads(out.getvalue())["held"] == [waiting.pk]

    assert _restore(file)["held"] == [waiting.pk]
    assert high_water.agrees()


def test_a_drill_says_why_a_backup_is_no_use(tmp_path: Path, database_url: str) -> None:
    file = tmp_path / "broken.dump"
    file.write_bytes(b"PGDMP and then nothing")

    with pytest.raises(InputError, match="is not a dump of pg_dump"):
        management.call_command("drill", str(file))


def test_who_opted_out_after_the_dump_is_mailed_no_more(dump: Any, transport: SendGridTransport) -> None:
    readers = make_list(make_publication(), "readers")
    left, unlisted, complained, refused, erased_one, stays = (make_subscriber(readers) for _ in range(6))
    Subscriber.objects.update(tracking="granted")
    file = dump()
    suppression.unsubscribe(left.pk, readers.publication_id, "one-click")
    preferences.leave_list(unlisted.pk, readers.pk, source="page")
    suppression.suppress(complained.email, "complaint", detail="webhook")
    suppression.suppress("@blocked.example", "manual", publication_id=readers.publication_id)
    tracking.answer(refused.pk, Subscriber.Tracking.DENIED, source="page")
    erasing.erase(erased_one.email, who="test", transport=transport)
    make_subscriber(readers, email="new@example.com")

    report = _restore(file)

    assert report["opt_outs"] == {
        "suppressions": 4,
        "left": 2,
        "untracked": 1,
        "erased": 1,
        "merged": 0,
        "not_merged": 0,
    }
    send = make_send(0, approval=make_approval(make_edition(readers.publication)), lists=[readers])
    assert preparing.prepare(send.pk) is not None
    assert set(readers_of(send)) == {refused.pk, stays.pk}
    assert not Subscriber.objects.filter(pk=erased_one.pk).exists()
    assert Erasure.objects.get().finished_at is not None
    assert Subscriber.objects.get(pk=refused.pk).tracking == "denied"
    assert Subscriber.objects.get(pk=stays.pk).tracking == "granted"
    assert Suppression.objects.filter(address="@blocked.example", publication=readers.publication_id).exists()
    assert Consent.objects.filter(kind="withdrawn", source__contains="restored from a backup").count() == 2
    # What they said is there once, whoever restores the same dump again.
    assert _restore(file)["opt_outs"] == report["opt_outs"]


def test_whoever_came_back_after_the_dump_stays_as_the_dump_has_them(dump: Any) -> None:
    readers = make_list(make_publication(), "readers")
    back = make_subscriber(readers)
    suppression.unsubscribe(back.pk, readers.publication_id, "page")
    file = dump()
    preferences.choose(back.pk, readers.publication_id, {readers.pk}, source="page")

    assert _restore(file)["opt_outs"] == {
        "suppressions": 0,
        "left": 0,
        "untracked": 0,
        "erased": 0,
        "merged": 0,
        "not_merged": 0,
    }
    assert Subscription.objects.get(subscriber=back).status == "unsubscribed"


def test_an_id_that_was_given_away_again_is_another_reader(dump: Any, database_url: str) -> None:
    readers = make_list(make_publication(), "readers")
    file = dump()
    gone = make_subscriber(readers)
    suppression.unsubscribe(gone.pk, readers.publication_id, "page")
    first = _restore(file)
    assert first["opt_outs"]["suppressions"] == 1
    # In the restored database the same id is somebody else's.
    other = make_subscriber(readers, id=gone.pk, email="other@example.com")

    with psycopg.connect(database_url, dbname=first["kept_as"]) as kept:
        assert later_opt_outs.carry_over(kept) == OptOuts(
            suppressions=0, left=0, untracked=0, erased=0, merged=0, not_merged=0
        )
    assert Subscription.objects.get(subscriber=other).status == "active"


def test_opt_outs_are_forgotten_only_if_asked(dump: Any) -> None:
    readers = make_list(make_publication(), "readers")
    reader = make_subscriber(readers)
    file = dump()
    suppression.unsubscribe(reader.pk, readers.publication_id, "page")
    out = StringIO()

    management.call_command("restore", str(file), "--forget-opt-outs", stdout=out)

    assert Subscription.objects.get().status == "active"
    assert "is not known here, and would be mailed: as you asked" in out.getvalue()


def test_a_database_that_cannot_be_read_to_its_end_stands_in_nobodys_way(
    dump: Any, transport: SendGridTransport
) -> None:
    early = make_prepared_send(2)
    file = dump()
    _submit(early, transport)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE subscribers_subscription RENAME TO damaged")

    report = _restore(file)

    assert (report["held"], report["opt_outs"]) == ([early.pk], None)
    assert "could not be read to its end: UndefinedTable" in report["opt_outs_unknown"]


def test_a_database_of_another_installation_tells_nothing(dump: Any) -> None:
    readers = make_list(make_publication(), "readers")
    reader = make_subscriber(readers)
    file = dump()
    suppression.unsubscribe(reader.pk, readers.publication_id, "page")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE tasks_installation SET id = gen_random_uuid()")

    report = _restore(file)

    assert report["opt_outs"] is None
    assert report["opt_outs_unknown"] == "there was no database of this installation before"
    assert Subscription.objects.get().status == "active"


def test_no_silence_is_believed_of_a_request_that_was_under_way_at_the_dump(
    dump: Any, transport: SendGridTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was accepted after the dump, and so was what was reported of it: the restored database heard nothing."""
    send = make_prepared_send(2)
    files: list[Path] = []
    post = transport.post

    def dump_then_post(body: Any) -> Any:
        files.append(dump())
        return post(body)

    monkeypatch.setattr(transport, "post", dump_then_post)
    _submit(send, transport)
    assert counts(send).status == "sent"

    report = _restore(files[0])

    assert (report["forgotten"], report["sent_after"], report["held"]) == (0, [], [send.pk])
    assert Alarm.objects.filter(send=send, message=restoring._REPORTS_LOST, cleared_at=None).exists()
    # As recovery finds it whose worker is gone.
    Batch.objects.filter(send=send).update(status="unknown")
    Attempt.objects.update(outcome="unknown", fenced_at=timezone.now() - timedelta(days=3))
    for _ in range(3):
        make_attempt(size=100, heard=100, transport=transport.name, outcome="accepted")
    for _ in range(7):
        silence.reconcile(transport=transport, grace=60)
    assert counts(send).status == "paused"
    assert (counts(send).unknown, counts(send).pending) == (2, 0)
    assert Attempt.objects.get(batch__send=send).outcome == "unknown"
