"""A refusal that names readers for what is not theirs: the send waits, and nobody is set aside."""

from typing import Any

import pytest

from sandbox.server import Sandbox
from tasks.models import Alarm, Batch, Exclusion, Send
from tasks.providers.sendgrid.transport import SendGridTransport
from tasks.sends import control
from tasks.sends.counts import counts
from tasks.submission.retries import is_systematic
from tests.factories import make_prepared_send
from tests.tasks.submission.batches import only_batch, submit

pytestmark = pytest.mark.django_db

NO_ADDRESS = "Does not contain a valid address."


@pytest.mark.parametrize("field", ["headers.List-Unsubscribe", "from", "custom_args", "substitutions", "subject"])
def test_only_addresses_and_names_are_a_readers_fault(field: str, transport: SendGridTransport, fault: Any) -> None:
    fault("bad-recipient", personalizations=[0], field=field, message="The from address is not verified.")
    send = make_prepared_send(3)

    submit(send, transport)

    send.refresh_from_db()
    assert (send.status, only_batch(send).status) == (Send.Status.PAUSED, Batch.Status.PENDING)
    assert "not verified" in send.pause_reason
    assert not Exclusion.objects.exists()


@pytest.mark.parametrize("field", ["to", "to.0.email", "to.0.name", "cc.0.email"])
def test_an_address_or_a_name_is_a_readers_fault(field: str, transport: SendGridTransport, fault: Any) -> None:
    fault("bad-recipient", personalizations=[1], field=field, times=1)
    send = make_prepared_send(3)

    submit(send, transport)

    assert (only_batch(send).status, counts(send).failed) == (Batch.Status.PENDING, 1)


def test_everybody_named_pauses_the_send_and_fails_nobody(
    transport: SendGridTransport, fault: Any, sandbox: Sandbox
) -> None:
    fault("bad-recipient", everyone=True, times=1)
    send = make_prepared_send(30)

    submit(send, transport)

    send.refresh_from_db()
    assert send.status == Send.Status.PAUSED
    assert "named 30 of them" in send.pause_reason
    assert NO_ADDRESS in send.pause_reason
    assert "nobody was set aside" in send.pause_reason
    assert counts(send).pending == 30
    assert Alarm.objects.get(code=Alarm.Code.SEND_PAUSED).message == send.pause_reason

    assert control.resume(send.pk)
    Batch.objects.update(not_before=send.prepared_at)
    assert submit(send, transport).status == Batch.Status.SUBMITTED
    assert sandbox.ledger.counts()["accepted"] == 30


def test_a_provider_that_names_one_after_the_other_is_stopped_too(transport: SendGridTransport, fault: Any) -> None:
    fault("bad-recipient", personalizations=[0])
    send = make_prepared_send(30)

    for _ in range(6):
        submit(send, transport)

    send.refresh_from_db()
    assert send.status == Send.Status.PAUSED
    assert counts(send).failed == 2


def test_what_is_believed_of_a_request() -> None:
    def named(number: int, words: str) -> dict[int, str]:
        return {reader: words.format(reader) for reader in range(number)}

    assert not is_systematic(named(2, NO_ADDRESS), of=1000)
    assert is_systematic(named(3, NO_ADDRESS), of=1000), "the same words for several"
    assert not is_systematic(named(20, "bad address {}"), of=1000)
    assert is_systematic(named(21, "bad address {}"), of=1000), "more than 2 %"
    assert is_systematic(named(1, NO_ADDRESS), of=1000, failed_before=20)
    assert not is_systematic(named(2, NO_ADDRESS), of=2), "two who are all of it"
