"""The mark of what was sent, outside the database: a restored database is behind it, and sends nothing again."""

import json
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import redis
from django.conf import settings
from django.core import management
from django.db import connection
from django.utils import timezone

from newsdesk.core.errors import InputError
from sandbox.server import Sandbox
from tasks.database import high_water, identity
from tasks.database.high_water import Fence
from tasks.database.mark_file import Mark
from tasks.models import Alarm, Attempt, Batch, Send
from tasks.preparation import preparing
from tasks.providers.sendgrid.transport import SendGridTransport
from tasks.reconciliation import doubt_alarms, silence
from tasks.sends import control, database_behind, database_doubts
from tasks.sends.counts import counts
from tasks.submission import posting, recovery
from tasks.throttling.explanations import why_waiting
from tests.factories import make_attempt, make_prepared_send, make_send

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nothing_sent_yet")]


def _submit(send: Send, transport: SendGridTransport) -> None:
    posting.submit_batch(Batch.objects.get(send=send).pk, transport=transport)


def _restore(to: int) -> None:
    """The database as it was when `to` fences had been made. Its sequence is ahead of them, as after any recovery of PostgreSQL."""
    Attempt.objects.filter(fence__gt=to).delete()
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval('tasks_fence_number', %s)", [to + 32])


def _again(send: Send) -> None:
    Batch.objects.filter(send=send).update(status="pending", attempt=None, attempts=0)
    Send.objects.filter(pk=send.pk).update(status="sending", finished_at=None)


def _mark() -> Mark | None:
    return high_water.read(high_water.installation())


def test_a_post_is_noted_before_its_first_byte(transport: SendGridTransport, in_redis: redis.Redis) -> None:
    send = make_prepared_send(2)
    request = posting.begin(transport)
    assert isinstance(request, posting.Request)
    assert _mark() is None

    posting.post(request, transport)

    assert _mark() == Mark(fence=1, send=send.pk)
    written = json.loads((settings.HOME.marks / high_water.installation()).read_text())
    assert {"fence": 1, "send": send.pk}.items() <= written.items()


def test_a_mark_that_cannot_be_written_means_no_post(
    sandbox: Sandbox, transport: SendGridTransport, monkeypatch: pytest.MonkeyPatch, in_redis: redis.Redis
) -> None:
    send = make_prepared_send(2)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tasks.database.mark_file.write", full)
    _submit(send, transport)

    assert _accepted(sandbox) == 0
    assert counts(send).pending == 2


def test_a_database_behind_its_mark_sends_nothing_and_says_why(
    sandbox: Sandbox, transport: SendGridTransport, in_redis: redis.Redis
) -> None:
    first, second = make_prepared_send(2), make_prepared_send(3)
    _submit(first, transport)
    _submit(second, transport)
    waiting = make_send(1, scheduled_at=timezone.now())
    _restore(1)
    _again(second)

    _submit(second, transport)

    assert _accepted(sandbox) == 5
    assert {counts(send).status for send in (second, waiting)} == {"paused"}
    assert counts(second).unknown == 3
    why = Alarm.objects.get(send=second, code="ground_moved").message
    assert "knows of 1 requests, and 2 were made" in why
    assert preparing.prepare_due() == 0


def test_what_is_sent_after_a_restore_goes_on_behind_the_mark(
    sandbox: Sandbox, transport: SendGridTransport, in_redis: redis.Redis
) -> None:
    first = make_prepared_send(2)
    _submit(first, transport)
    _restore(1)
    high_water.advance(Fence(90, high_water.installation(), first.pk))
    recovery.recover()
    assert Alarm.objects.filter(send=None, code="ground_moved").exists()

    _submit(make_prepared_send(3), transport)

    assert _accepted(sandbox) == 5
    assert _mark() == Mark(fence=91, send=Send.objects.latest("pk").pk)


def test_a_promoted_copy_that_lacks_no_fence_waits_to_be_resumed(
    sandbox: Sandbox, transport: SendGridTransport, in_redis: redis.Redis
) -> None:
    first, send = make_prepared_send(2), make_prepared_send(3)
    _submit(first, transport)
    Send.objects.filter(pk=send.pk).update(timeline=99)

    _submit(send, transport)

    assert (counts(send).status, counts(send).pending) == ("paused", 3)
    assert Alarm.objects.get(send=send, code="ground_moved").message == database_doubts.PROMOTED
    control.resume(send.pk)
    _submit(send, transport)
    assert counts(send).status == "sent"
    assert _accepted(sandbox) == 5


def test_a_send_due_as_a_copy_was_promoted_waits_to_be_resumed(
    sandbox: Sandbox, transport: SendGridTransport, in_redis: redis.Redis
) -> None:
    """Nobody had prepared it: what the copy lacks no fence of cannot be out."""
    _submit(make_prepared_send(2), transport)
    due = make_send(3, scheduled_at=timezone.now())
    Send.objects.filter(pk=due.pk).update(system_identifier=identity.current().system_identifier, timeline=99)

    preparing.prepare(due.pk)

    assert Alarm.objects.get(send=due, code="ground_moved").message == database_doubts.PROMOTED
    assert control.resume(due.pk)
    preparing.prepare(due.pk)
    _submit(due, transport)
    assert counts(due).status == "sent"
    assert _accepted(sandbox) == 5


def test_a_send_due_in_a_promoted_copy_that_lacks_a_fence_is_not_resumed(
    transport: SendGridTransport, in_redis: redis.Redis
) -> None:
    _submit(make_prepared_send(2), transport)
    due = make_send(3, scheduled_at=timezone.now())
    Send.objects.filter(pk=due.pk).update(system_identifier=identity.current().system_identifier, timeline=99)
    _restore(0)

    preparing.prepare(due.pk)

    due.refresh_from_db()
    assert "may have gone out already" in due.pause_reason
    assert not control.resume(due.pk)


def test_sends_yet_to_come_go_on_with_a_promoted_copy_and_those_under_way_do_not(in_redis: redis.Redis) -> None:
    to_come = make_send(1, scheduled_at=timezone.now() + timedelta(hours=1))
    due = make_send(1, scheduled_at=timezone.now())
    database = identity.current()
    here, former = database.timeline, database.timeline + 1
    Send.objects.update(system_identifier=database.system_identifier, timeline=former)

    recovery.recover()

    assert dict(Send.objects.values_list("pk", "timeline")) == {to_come.pk: here, due.pk: former}


@pytest.mark.parametrize(("status", "then"), [("sending", "paused"), ("cancelled", "cancelled")])
def test_silence_says_nothing_once_another_copy_serves(
    status: str, then: str, transport: SendGridTransport, in_redis: redis.Redis
) -> None:
    """Nothing of the send is left to be claimed, the request was accepted, and what was reported of it is lost with the other copy."""
    send = make_prepared_send(2)
    _submit(send, transport)
    Batch.objects.filter(send=send).update(status="unknown")
    before = timezone.now() - timedelta(days=3)
    Attempt.objects.update(outcome="unknown", fenced_at=before, finished_at=before)
    Send.objects.filter(pk=send.pk).update(status=status, finished_at=None, timeline=99)
    for _ in range(3):
        make_attempt(size=100, heard=100, transport=transport.name, outcome="accepted", fence=1)

    for _ in range(7):
        silence.reconcile(transport=transport, grace=60)
    recovery.recover()

    assert (counts(send).status, counts(send).unknown) == (then, 2)
    (fact,) = Attempt.objects.get(batch__send=send).evidence[-1:]
    assert fact["kind"] == "ground_moved"
    alarms = list(Alarm.objects.filter(send=send, code="ground_moved").values_list("message", flat=True))
    assert alarms == ([database_doubts.PROMOTED] if then == "paused" else [])
    recovery.recover()
    assert Attempt.objects.get(batch__send=send).evidence[-1:] == [fact]
    assert doubt_alarms.in_doubt()[send.pk].startswith("2 readers are in doubt: ")


def test_tables_that_were_made_anew_are_another_database(
    sandbox: Sandbox, transport: SendGridTransport, in_redis: redis.Redis
) -> None:
    """As `pg_restore` makes them, in the same cluster and on the same timeline."""
    _submit(make_prepared_send(2), transport)
    send, older = make_prepared_send(3), make_prepared_send(1)
    Send.objects.filter(pk=send.pk).update(table_oid=1)
    # By a version that did not ask.
    Send.objects.filter(pk=older.pk).update(table_oid=None)

    recovery.recover()

    assert (counts(send).status, counts(send).pending) == ("paused", 3)
    assert counts(older).status == "sending"
    assert control.resume(send.pk)
    _submit(send, transport)
    assert _accepted(sandbox) == 5


def test_a_promoted_copy_that_lacks_a_fence_waits_for_decisions(
    sandbox: Sandbox, transport: SendGridTransport, in_redis: redis.Redis
) -> None:
    first, send = make_prepared_send(2), make_prepared_send(3)
    _submit(first, transport)
    _submit(send, transport)
    _restore(1)
    _again(send)
    Send.objects.filter(pk=send.pk).update(timeline=99)

    _submit(send, transport)

    assert (counts(send).status, counts(send).unknown) == ("paused", 3)
    assert _accepted(sandbox) == 5


def test_a_sequence_that_is_ahead_after_a_recovery_does_not_hide_a_lost_fence(
    transport: SendGridTransport, in_redis: redis.Redis
) -> None:
    _submit(make_prepared_send(2), transport)
    _restore(0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT last_value FROM tasks_fence_number")
        assert cursor.fetchone()[0] > 1

    assert not database_behind.agrees()


#: What the version before does: it knows nothing of the column.
_FENCE_BEFORE = """
WITH recorded AS (
    INSERT INTO tasks_attempt (id, batch_id, number, size, outcome, provider_id, transport, silent_passes, heard, evidence)
    VALUES (%s, NULL, 1, 1, '', '', '', 0, 0, '[]')
)
SELECT nextval('tasks_fence_number')
"""


def test_a_worker_of_the_version_before_leaves_no_mark_that_the_database_lacks(in_redis: redis.Redis) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_FENCE_BEFORE, [uuid4()])
        ((number,),) = cursor.fetchall()
    high_water.advance(Fence(number, high_water.installation(), 1))

    assert database_behind.agrees()


def test_another_machines_mark_counts_through_redis(
    sandbox: Sandbox,
    transport: SendGridTransport,
    in_redis: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    send = make_prepared_send(2)
    _submit(send, transport)
    high_water.advance(Fence(7, high_water.installation(), send.pk))
    monkeypatch.setattr(type(settings.HOME), "marks", tmp_path / "another machine")
    _again(send)

    _submit(send, transport)

    assert _accepted(sandbox) == 2
    assert counts(send).status == "paused"


def test_a_missing_mark_waits_for_a_person(
    sandbox: Sandbox, transport: SendGridTransport, in_redis: redis.Redis
) -> None:
    send, other = make_prepared_send(2), make_prepared_send(3)
    _submit(send, transport)
    _forget(in_redis)

    _submit(other, transport)
    recovery.recover()

    assert _accepted(sandbox) == 2
    assert counts(other).pending == 3
    assert Alarm.objects.get(code="mark_missing").message == database_behind.MARK_MISSING
    assert why_waiting(Send.objects.get(pk=other.pk)) == database_behind.MARK_MISSING

    management.call_command("confirm_database", "--newest")
    _submit(other, transport)

    assert _accepted(sandbox) == 5
    assert not Alarm.objects.filter(cleared_at=None, code="mark_missing").exists()
    with pytest.raises(InputError, match="nothing is to be confirmed"):
        management.call_command("confirm_database", "--newest")


def test_a_person_says_that_a_database_without_a_mark_was_restored(
    sandbox: Sandbox, transport: SendGridTransport, in_redis: redis.Redis
) -> None:
    send, other = make_prepared_send(2), make_prepared_send(3)
    _submit(send, transport)
    _forget(in_redis)

    management.call_command("confirm_database", "--restored")

    assert (counts(other).status, counts(other).unknown) == ("paused", 3)
    assert database_behind.agrees()


def test_without_a_file_and_with_redis_away_nothing_is_claimed_and_nobody_alarmed(
    sandbox: Sandbox, transport: SendGridTransport
) -> None:
    send = make_prepared_send(2)

    _submit(send, transport)
    recovery.recover()

    assert (_accepted(sandbox), counts(send).pending) == (0, 2)
    assert not Alarm.objects.exists()


def test_redis_may_be_away_where_the_file_is(sandbox: Sandbox, transport: SendGridTransport) -> None:
    high_water.advance(Fence(0, high_water.installation(), 0))
    send = make_prepared_send(2)

    _submit(send, transport)

    assert counts(send).status == "sent"


def _accepted(sandbox: Sandbox) -> int:
    return sandbox.ledger.counts()["accepted"]


def _forget(client: redis.Redis) -> None:
    of = high_water.installation()
    assert UUID(of)
    (settings.HOME.marks / of).unlink()
    client.delete(f"newsdesk:mark:{of}")
