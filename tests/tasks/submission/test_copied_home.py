"""A home that was copied or restored from a backup comes with its mark, and with its Redis: a person says what was sent since."""

import shutil
from pathlib import Path

import pytest
import redis
from django.conf import settings
from django.core import management

from newsdesk.core.errors import InputError, OperationFailedError
from sandbox.server import Sandbox
from tasks.database import high_water, mark_file
from tasks.database.high_water import Fence, UnsureError
from tasks.database.mark_file import CopiedError, Mark
from tasks.models import Alarm, Attempt, Batch, Send
from tasks.preparation import preparing
from tasks.providers.sendgrid.transport import SendGridTransport
from tasks.sends import database_behind
from tasks.sends.counts import counts
from tasks.submission import posting, recovery
from tasks.throttling.explanations import why_waiting
from tests.factories import make_prepared_send, make_send
from tests.tasks.submission.copied_homes import copy_home

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nothing_sent_yet")]


@pytest.fixture(params=["generation told", "none is told"])
def _generation(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "none is told":
        monkeypatch.setattr(mark_file, "generation", lambda descriptor: None)


def _submit(send: Send, transport: SendGridTransport) -> None:
    posting.submit_batch(Batch.objects.get(send=send).pk, transport=transport)


def _file() -> Path:
    return settings.HOME.marks / high_water.installation()


def _open_alarms() -> list[str]:
    return list(Alarm.objects.filter(cleared_at=None, send=None).values_list("message", flat=True))


def _accepted(sandbox: Sandbox) -> int:
    return sandbox.ledger.counts()["accepted"]


@pytest.mark.usefixtures("_generation")
def test_a_copied_home_sends_nothing_until_a_person_says_that_nothing_was_sent_since(
    sandbox: Sandbox, transport: SendGridTransport, in_own_redis: redis.Redis
) -> None:
    first, second, due = make_prepared_send(2), make_prepared_send(3), make_send(1)
    _submit(first, transport)
    copy_home()

    _submit(second, transport)
    recovery.recover()

    assert preparing.prepare_due() == 0
    assert not high_water.agrees()
    assert (_accepted(sandbox), counts(second).pending, counts(second).status) == (2, 3, "sending")
    assert _open_alarms() == [database_behind.HOME_COPIED]
    assert why_waiting(Send.objects.get(pk=second.pk)) == database_behind.HOME_COPIED
    assert len(database_behind.HOME_COPIED) <= 500

    management.call_command("confirm_database", "--newest")

    assert preparing.prepare_due() == 1
    _submit(second, transport)
    _submit(due, transport)
    assert _accepted(sandbox) == 6
    assert _open_alarms() == []
    # It asks once.
    with pytest.raises(InputError, match="nothing is to be confirmed"):
        management.call_command("confirm_database", "--newest")


def test_of_a_restored_home_every_send_that_is_not_over_waits(
    sandbox: Sandbox, transport: SendGridTransport, in_own_redis: redis.Redis
) -> None:
    first, second = make_prepared_send(2), make_prepared_send(3)
    _submit(first, transport)
    copy_home()
    recovery.recover()

    management.call_command("confirm_database", "--restored")

    assert (counts(second).status, counts(second).unknown) == ("paused", 3)
    assert database_behind.agrees()
    assert mark_file.read(_file()) == Mark(fence=1, send=first.pk)
    later = make_prepared_send(4)
    _submit(later, transport)
    assert _accepted(sandbox) == 6


@pytest.mark.usefixtures("_generation")
def test_a_home_that_was_moved_on_its_file_system_goes_on(
    sandbox: Sandbox,
    transport: SendGridTransport,
    in_own_redis: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    first, second = make_prepared_send(2), make_prepared_send(3)
    _submit(first, transport)
    monkeypatch.setattr(type(settings.HOME), "marks", settings.HOME.marks.rename(tmp_path / "elsewhere"))

    _submit(second, transport)

    assert (_accepted(sandbox), _open_alarms()) == (5, [])


def test_a_home_that_was_restored_without_its_marks_is_not_proved_by_its_own_redis(
    sandbox: Sandbox, transport: SendGridTransport, in_own_redis: redis.Redis
) -> None:
    first, second = make_prepared_send(2), make_prepared_send(3)
    _submit(first, transport)
    _file().unlink()

    _submit(second, transport)

    assert _accepted(sandbox) == 2
    assert _open_alarms() == [database_behind.HOME_COPIED]
    management.call_command("confirm_database", "--newest")
    _submit(second, transport)
    assert _accepted(sandbox) == 5


def test_a_database_behind_even_the_copy_is_behind_and_is_asked_about_as_well(
    sandbox: Sandbox, transport: SendGridTransport, in_own_redis: redis.Redis
) -> None:
    first, second = make_prepared_send(2), make_prepared_send(3)
    _submit(first, transport)
    high_water.advance(Fence(7, high_water.installation(), first.pk))
    in_own_redis.flushall()
    copy_home()

    recovery.recover()

    assert (counts(second).status, counts(second).unknown) == ("paused", 3)
    assert "knows of 1 requests, and 7 were made" in Alarm.objects.get(send=second, code="ground_moved").message
    recovery.recover()
    assert database_behind.HOME_COPIED in _open_alarms()
    management.call_command("confirm_database", "--newest")
    assert mark_file.read(_file()) == Mark(fence=7, send=first.pk)
    _submit(make_prepared_send(1), transport)
    assert high_water.read(high_water.installation()) == Mark(fence=8, send=Send.objects.latest("pk").pk)


def test_confirming_lowers_no_mark(transport: SendGridTransport, in_own_redis: redis.Redis) -> None:
    """Who says that a database is the newest which is behind the copy is not believed."""
    send = make_prepared_send(2)
    _submit(send, transport)
    waiting = make_prepared_send(3)
    copy_home()
    Attempt.objects.all().delete()

    management.call_command("confirm_database", "--newest")
    recovery.recover()

    assert high_water.read(high_water.installation()) == Mark(fence=1, send=send.pk)
    assert counts(waiting).status == "paused"


def test_the_redis_of_several_machines_speaks_for_a_clone_of_one(
    sandbox: Sandbox, transport: SendGridTransport, in_redis: redis.Redis
) -> None:
    first, second = make_prepared_send(2), make_prepared_send(3)
    _submit(first, transport)
    copy_home()

    _submit(second, transport)

    assert (_accepted(sandbox), _open_alarms()) == (5, [])
    assert mark_file.read(_file()) == Mark(fence=2, send=second.pk)


def test_what_the_other_machines_have_sent_since_counts_for_a_clone(
    transport: SendGridTransport, in_redis: redis.Redis
) -> None:
    send = make_prepared_send(2)
    _submit(send, transport)
    copy_home()
    in_redis.hset(f"newsdesk:mark:{high_water.installation()}", mapping={"fence": 8, "send": 2})

    assert not database_behind.agrees()

    assert Alarm.objects.filter(code="ground_moved", send=None).exists()
    assert mark_file.read(_file()) == Mark(fence=8, send=2)


@pytest.mark.parametrize("there", [None, 0])
def test_a_copy_proves_nothing_where_redis_knows_less(
    there: int | None, sandbox: Sandbox, transport: SendGridTransport, in_redis: redis.Redis
) -> None:
    first, second = make_prepared_send(2), make_prepared_send(3)
    _submit(first, transport)
    copy_home()
    key = f"newsdesk:mark:{high_water.installation()}"
    in_redis.delete(key)
    if there is not None:
        in_redis.hset(key, mapping={"fence": there, "send": 0})

    _submit(second, transport)
    recovery.recover()

    assert (_accepted(sandbox), _open_alarms()) == (2, [database_behind.HOME_COPIED])
    # The copy's number has not got into Redis, where it would speak for the copy.
    assert in_redis.hget(key, "fence") == (None if there is None else b"0")
    # Another machine, whose file is its own, has told it.
    in_redis.hset(key, mapping={"fence": 1, "send": first.pk})
    recovery.recover()
    _submit(second, transport)
    assert (_accepted(sandbox), _open_alarms()) == (5, [])


def test_with_a_copy_and_redis_away_nothing_is_claimed_and_nobody_alarmed(
    sandbox: Sandbox, transport: SendGridTransport
) -> None:
    first, second = make_prepared_send(2), make_prepared_send(3)
    high_water.advance(Fence(0, high_water.installation(), 0))
    _submit(first, transport)
    copy_home()

    _submit(second, transport)
    recovery.recover()

    assert (_accepted(sandbox), counts(second).pending, _open_alarms()) == (2, 3, [])
    with pytest.raises(UnsureError):
        high_water.read(high_water.installation())
    with pytest.raises(OperationFailedError, match="does not answer"):
        management.call_command("confirm_database", "--newest")


def test_a_home_that_is_copied_between_claim_and_post_posts_nothing(
    sandbox: Sandbox, transport: SendGridTransport, in_own_redis: redis.Redis
) -> None:
    first, second = make_prepared_send(2), make_prepared_send(3)
    _submit(first, transport)
    request = posting.begin(transport)
    assert isinstance(request, posting.Request)
    copy_home()

    posting.settle(request, posting.post(request, transport), transport)

    assert (_accepted(sandbox), counts(second).pending) == (2, 3)
    with pytest.raises(CopiedError):
        high_water.advance(Fence(9, high_water.installation(), 1))


def test_a_file_of_a_version_before_is_believed_once(transport: SendGridTransport, in_own_redis: redis.Redis) -> None:
    first, second = make_prepared_send(2), make_prepared_send(3)
    _submit(first, transport)
    _file().write_text(f'{{"fence": 1, "send": {first.pk}}}')
    draft = Path(shutil.copy2(_file(), _file().with_name("draft")))
    draft.replace(_file())

    _submit(second, transport)

    assert counts(second).status == "sent"
    copy_home()
    assert not database_behind.agrees()
