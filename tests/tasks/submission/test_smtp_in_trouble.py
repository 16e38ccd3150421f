"""An SMTP server in trouble makes a send slow, never wrong (issue 13, point 8)."""

from datetime import timedelta

import pytest
from django.utils import timezone

from subscribers.models import Subscriber, Suppression
from tasks.models import Batch, Delivery, Exclusion, MailboxDomain, Send, TransportState
from tasks.providers.smtp.transport import SmtpTransport
from tasks.submission import giving_up
from tasks.submission.retries import MAX_ROUNDS
from tests.factories import make_prepared_send
from tests.smtp_server import CLOSE, Script, SmtpSink
from tests.tasks.submission.smtp_sends import check, no_wait, submit_all

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


def hangs_up_after(messages: int) -> Script:
    """A server that answers so many messages over a connection, then takes one more and hangs up without a word."""
    taken = [0]

    def script(stage: str, _accepted: int, _recipient: str) -> str:
        taken[0] += stage == "data"
        return CLOSE if stage == "text" and taken[0] % (messages + 1) == 0 else ""

    return script


def refuses(count: int, answer: str) -> Script:
    """A server that knows nothing of the first readers it is asked for."""
    asked: dict[str, None] = {}

    def script(stage: str, _accepted: int, recipient: str) -> str:
        if stage == "rcpt":
            asked.setdefault(recipient)
        return answer if stage == "rcpt" and list(asked).index(recipient) < count else ""

    return script


def test_a_batch_that_gets_further_waits_for_nothing(sink: SmtpSink, smtp: SmtpTransport) -> None:
    """Half of a list was pending after two minutes: each cut doubled the wait, however many messages went before it."""
    sink.script = hangs_up_after(10)
    send = make_prepared_send(121)

    requests = 0
    while Batch.objects.filter(send=send, status="pending", not_before__lte=timezone.now()).exists():
        submit_all(send, smtp)
        requests += 1

    check(send, submitted=110, unknown=11, pending=0)
    assert requests == 4, "three doubts end a request"


def test_one_that_gets_no_further_waits_longer_each_time(sink: SmtpSink, smtp: SmtpTransport) -> None:
    sink.script = lambda stage, _n, _r: "451 4.3.0 queue full" if stage == "mail" else ""
    send = make_prepared_send(5)
    Batch.objects.update(attempts=40)
    # The wait begins somewhere between before and after: it is this long at least, and at most.
    least, most = [], []
    for _ in range(4):
        before = timezone.now()
        submit_all(send, smtp)
        after, until = timezone.now(), Batch.objects.get().not_before
        least.append((until - after).total_seconds())
        most.append((until - before).total_seconds())
        no_wait(send)

    check(send, pending=5)
    assert least[0] < 4 < most[2], (least, most)
    assert Batch.objects.get().stalls == 4
    sink.script = lambda *_: ""
    submit_all(send, smtp)
    check(send, submitted=5)


def test_greylisted_readers_wait_by_themselves_and_nothing_else_does(sink: SmtpSink, smtp: SmtpTransport) -> None:
    sink.script = refuses(30, "451 4.7.1 greylisted")
    send = make_prepared_send(50)

    submit_all(send, smtp)

    check(send, submitted=20, pending=30)
    assert not TransportState.objects.filter(throttled_until__gt=timezone.now()).exists()
    assert Batch.objects.get(status="pending").not_before > timezone.now()
    sink.script = lambda *_: ""
    no_wait(send)
    submit_all(send, smtp)
    check(send, submitted=50)


def test_many_who_are_put_off_together_fail_only_after_days(sink: SmtpSink, smtp: SmtpTransport) -> None:
    """A server that takes so many readers an hour must not cost those who come last."""
    sink.script = lambda stage, _n, _r: "450 4.7.1 too many from you" if stage == "rcpt" else ""
    send = make_prepared_send(12)
    Batch.objects.update(rounds=MAX_ROUNDS + 5)

    submit_all(send, smtp)
    check(send, pending=12)

    no_wait(send)
    Send.objects.update(prepared_at=timezone.now() - timedelta(days=5))
    MailboxDomain.objects.update(put_off_in_a_row=giving_up.MANY_IN_A_ROW)
    submit_all(send, smtp)
    check(send, failed=12)


def test_a_mailbox_that_does_not_exist_is_never_mailed_again(sink: SmtpSink, smtp: SmtpTransport) -> None:
    sink.script = refuses(1, "550 5.1.1 no such user")
    send = make_prepared_send(6)

    submit_all(send, smtp)

    check(send, submitted=5, failed=1)
    failed = Exclusion.objects.get(kind="failed").subscriber_id
    suppression = Suppression.objects.get()
    assert (suppression.reason, suppression.detail) == ("hard_bounce", "550 5.1.1 no such user")
    assert suppression.address == Subscriber.objects.get(pk=failed).email


def test_a_closed_one_may_be_open_again(sink: SmtpSink, smtp: SmtpTransport) -> None:
    sink.script = refuses(1, "550 5.2.1 closed")
    send = make_prepared_send(20)

    submit_all(send, smtp)

    check(send, submitted=19, failed=1)
    assert not Suppression.objects.exists()
    assert Delivery.objects.filter(send_id=send.pk).count() == 20
