"""What was given up turns out to be accepted, and another send of the edition has the same readers: a person is told."""

from typing import Any

import pytest

from tasks.attempts.proof import prove_accepted
from tasks.models import Alarm, Attempt, Batch, TransactionalMail
from tasks.providers.sendgrid.transport import SendGridTransport
from tests.factories import make_editor, make_prepared_send
from tests.tasks.submission.batches import submit

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("sent_again", [True, False])
def test_a_late_proof_of_another_send_of_the_edition_is_an_alarm(
    sent_again: bool, transport: SendGridTransport, fault: Any
) -> None:
    make_editor()
    fault("accept-then-close", times=1)
    first = make_prepared_send(3)
    submit(first, transport)
    # Silence was believed, and the send cancelled: its readers count as missed.
    Batch.objects.filter(send=first).update(status="cancelled")
    first.status = "cancelled"
    first.save()
    if sent_again:
        again = make_prepared_send(0, approval=first.approval, lists=list(first.lists.all()))
        assert Batch.objects.get(send=again).size == 3
        submit(again, transport)

    prove_accepted({Attempt.objects.get(batch__send=first).pk: first.pk}, by={"kind": "event"})

    alarms = Alarm.objects.filter(code=Alarm.Code.ACCEPTED_TWICE, send=first)
    assert alarms.count() == (1 if sent_again else 0)
    if sent_again:
        assert f"send {again.pk} has readers of it too" in alarms.get().message
        assert f"send {again.pk} has readers of it too" in TransactionalMail.objects.get().text
