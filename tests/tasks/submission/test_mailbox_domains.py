"""One mailbox provider that puts its readers off does not slow the readers of others, through a real SMTP server."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tasks.audience import freezing
from tasks.models import Attempt, Batch, Exclusion, MailboxDomain, Send, TransportState
from tasks.providers.smtp.transport import SmtpTransport
from tasks.sends import control
from tasks.submission import giving_up, posting, recovery
from tasks.submission.worker_loop import WorkerLoop
from tasks.throttling import mailbox_domains
from tasks.throttling.explanations import why_waiting
from tests.factories import make_approval, make_list, make_prepared_send, make_subscriber
from tests.smtp_server import Script, SmtpSink
from tests.tasks.conftest import FakeQueue
from tests.tasks.submission.smtp_sends import check, no_wait, submit_all
from tests.waiting import LONG

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

SLOW = "slow.example.net"
LATER = "450 4.7.0 too many from you"


def says_later(answer: str = LATER, stage: str = "rcpt") -> Script:
    return lambda where, _accepted, whom: answer if where == stage and whom.endswith("@" + SLOW) else ""


def prepared(*domains: str, size: int = 1000, monkeypatch: pytest.MonkeyPatch | None = None) -> Send:
    """A send to one reader at each of these domains, in this order, in batches of `size`."""
    if monkeypatch is not None:
        monkeypatch.setattr(freezing, "BATCH_SIZE", size)
    approval = make_approval()
    readers = make_list(approval.edition.publication)
    for number, domain in enumerate(domains):
        make_subscriber(readers, email=f"reader{number}@{domain}")
    return make_prepared_send(0, approval=approval, lists=[readers])


def over(domain: str = SLOW) -> None:
    """The domain's wait is over."""
    MailboxDomain.objects.filter(pk=domain).update(throttled_until=timezone.now() - timedelta(seconds=1))


def lane() -> Batch:
    return Batch.objects.get(mailbox_domain=SLOW, status="pending")


@pytest.mark.parametrize("stage", ["rcpt", "data", "text"])
@pytest.mark.parametrize("answer", [LATER, "421 4.7.0 come back later", "451 later", "452 4.3.1 full"])
def test_its_readers_wait_together_and_the_others_go_out_at_once(
    answer: str, stage: str, sink: SmtpSink, smtp: SmtpTransport
) -> None:
    sink.script = says_later(answer, stage)
    send = prepared(*[SLOW, "example.com"] * 20)

    submit_all(send, smtp)

    check(send, submitted=20, pending=20)
    assert lane().size == 20
    asked = [command for command in sink.commands if command.endswith(f"@{SLOW}>")]
    assert len(asked) <= 5, "three in a row, and the one or two whose envelopes were on their way"
    assert not TransportState.objects.filter(throttled_until__gt=timezone.now()).exists()
    sink.script = lambda *_: ""
    over()
    submit_all(send, smtp)
    check(send, submitted=40, pending=0)
    assert max(Counter(sink.addresses()).values()) == 1
    assert not MailboxDomain.objects.exists()
    send.refresh_from_db()
    assert send.status == Send.Status.SENT


def test_while_it_waits_its_readers_of_other_batches_are_not_even_asked_for(
    sink: SmtpSink, smtp: SmtpTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink.script = says_later()
    send = prepared(*[SLOW, "example.com"] * 20, size=10, monkeypatch=monkeypatch)
    first, *others = Batch.objects.filter(send=send, status="pending").order_by("pk").values_list("pk", flat=True)
    posting.submit_batch(first, transport=smtp)
    sink.commands.clear()

    for batch_id in others:
        posting.submit_batch(batch_id, transport=smtp)

    check(send, submitted=20, pending=20)
    assert not [command for command in sink.commands if SLOW in command]
    assert Attempt.objects.filter(outcome="accepted").count() == 1 + len(others)
    assert Attempt.objects.exclude(batch__pk=first).values_list("size", flat=True).distinct().get() == 5
    assert Batch.objects.filter(mailbox_domain=SLOW, status="pending").count() == 1 + len(others)


def test_a_batch_of_its_readers_only_waits_as_a_whole_and_is_never_posted(sink: SmtpSink, smtp: SmtpTransport) -> None:
    mailbox_domains.throttle(SLOW, why=LATER)
    send = prepared(SLOW, SLOW)

    submit_all(send, smtp)

    check(send, pending=2)
    assert (lane().size, Attempt.objects.count(), sink.connections) == (2, 0, 0)


def test_one_batch_at_a_time_feels_the_way_and_the_first_success_ends_it(
    sink: SmtpSink, smtp: SmtpTransport, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    mailbox_domains.throttle(SLOW, why=LATER)
    settings.CANARY = 0
    send = prepared(*[SLOW] * 9, size=3, monkeypatch=monkeypatch)
    submit_all(send, smtp)
    over()
    first, second, third = Batch.objects.filter(send=send).order_by("pk").values_list("pk", flat=True)

    begun = posting.begin(smtp, batch_id=first)
    assert isinstance(begun, posting.Request)
    assert posting.begin(smtp, batch_id=second) is None, "one of the domain is on its way"
    posting.settle(begun, posting.post(begun, smtp), smtp)

    for batch_id in (second, third):
        assert isinstance(posting.begin(smtp, batch_id=batch_id), posting.Request)


def test_each_no_doubles_the_wait_and_refusals_in_flight_together_are_one(sink: SmtpSink, smtp: SmtpTransport) -> None:
    sink.script = says_later()
    send = prepared(*[SLOW] * 4, "example.com")
    waits = []
    for _ in range(4):
        submit_all(send, smtp)
        state = MailboxDomain.objects.get()
        waits.append((state.throttled_until - state.throttled_at).total_seconds())
        assert mailbox_domains.throttle(SLOW, why="again") <= waits[-1]
        over()

    assert waits[0] < 4 < waits[2] < waits[3]
    assert MailboxDomain.objects.get().put_off_in_a_row == 4
    check(send, submitted=1, pending=4)


def test_few_of_its_readers_prolong_the_wait_too(sink: SmtpSink, smtp: SmtpTransport) -> None:
    """A lane of two readers cannot refuse three in a row: it must not be tried without a pause for that."""
    sink.script = says_later()
    mailbox_domains.throttle(SLOW, why=LATER)
    send = prepared(SLOW, SLOW, "example.com")
    submit_all(send, smtp)
    over()

    submit_all(send, smtp)

    assert MailboxDomain.objects.get().throttled_until > timezone.now()
    assert MailboxDomain.objects.get().put_off_in_a_row == 2
    check(send, submitted=1, pending=2)


@pytest.mark.parametrize(
    "answer", ["452 4.2.2 mailbox full", "451 4.7.1 greylisted", "450 4.2.1 too fast for this user"]
)
def test_what_is_about_one_mailbox_is_not_about_its_domain(answer: str, sink: SmtpSink, smtp: SmtpTransport) -> None:
    sink.script = says_later(answer)
    send = prepared(*[SLOW] * 5, "example.com")

    submit_all(send, smtp)

    check(send, submitted=1, pending=5)
    assert not MailboxDomain.objects.exists()
    assert Batch.objects.get(status="pending").mailbox_domain == ""


def test_a_batch_that_was_ever_posted_keeps_its_members(sink: SmtpSink, smtp: SmtpTransport) -> None:
    """Its earlier attempt may prove accepted, and then all who are in it have the mail."""
    sink.script = lambda stage, _n, _r: "451 4.3.0 queue full" if stage == "mail" else ""
    send = prepared(SLOW, "example.com")
    submit_all(send, smtp)
    assert Attempt.objects.get().outcome == "refused"
    mailbox_domains.throttle(SLOW, why=LATER)
    no_wait(send)
    sink.script = lambda *_: ""

    submit_all(send, smtp)

    check(send, submitted=2)
    assert Batch.objects.count() == 1


def test_they_fail_when_a_mail_server_would_give_up_too(sink: SmtpSink, smtp: SmtpTransport) -> None:
    sink.script = says_later()
    send = prepared(*[SLOW] * 5, "example.com")
    Batch.objects.update(rounds=100)
    submit_all(send, smtp)
    check(send, submitted=1, pending=5, failed=0)
    over()
    Send.objects.update(prepared_at=timezone.now() - timedelta(days=5))
    MailboxDomain.objects.update(put_off_in_a_row=giving_up.MANY_IN_A_ROW)

    submit_all(send, smtp)

    check(send, submitted=1, failed=5)
    reason = Exclusion.objects.values_list("reason", flat=True).distinct().get()
    assert reason == f"{SLOW} has put its readers off for days; the last time: {LATER}"
    send.refresh_from_db()
    assert send.status == Send.Status.SENT


def test_an_old_send_does_not_fail_them_at_the_first_no(sink: SmtpSink, smtp: SmtpTransport) -> None:
    """It was paused for days, or warms up a few readers a day: their server had said no to nobody until now."""
    sink.script = says_later()
    send = prepared(*[SLOW] * 5, "example.com")
    Send.objects.update(prepared_at=timezone.now() - timedelta(days=5))

    submit_all(send, smtp)

    check(send, submitted=1, pending=5, failed=0)
    sink.script = lambda *_: ""
    over()
    submit_all(send, smtp)
    check(send, submitted=6)


def test_those_of_its_other_batches_fail_with_them(
    sink: SmtpSink, smtp: SmtpTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A try at each, with half an hour between them, would keep the last of them for weeks."""
    sink.script = says_later()
    send = prepared(*[SLOW] * 12, "example.com", size=4, monkeypatch=monkeypatch)
    submit_all(send, smtp)
    check(send, submitted=1, pending=12)
    over()
    Send.objects.update(prepared_at=timezone.now() - timedelta(days=5))
    MailboxDomain.objects.update(put_off_in_a_row=giving_up.MANY_IN_A_ROW)

    posting.submit_batch(Batch.objects.filter(status="pending").earliest("pk").pk, transport=smtp)

    check(send, submitted=1, failed=12)
    assert Exclusion.objects.filter(kind="failed", reason__startswith=SLOW).count() == 12
    send.refresh_from_db()
    assert send.status == Send.Status.SENT


def test_a_cancelled_send_leaves_nobody_waiting(sink: SmtpSink, smtp: SmtpTransport) -> None:
    sink.script = says_later()
    send = prepared(*[SLOW] * 5, "example.com")
    submit_all(send, smtp)

    control.cancel(send.pk)
    recovery.recover()

    check(send, submitted=1, pending=0, excluded={"cancelled": 5})


def test_a_person_is_told_who_waits_for_whom(sink: SmtpSink, smtp: SmtpTransport) -> None:
    sink.script = says_later("450 4.7.0 <reader3@slow.example.net> too many")
    send = prepared(*[SLOW] * 5, "example.com")
    submit_all(send, smtp)
    send.refresh_from_db()

    told = why_waiting(send)

    assert f"Readers at {SLOW} wait until " in told
    assert "UTC (5): 450 4.7.0 … too many" in told
    assert "reader3@" not in MailboxDomain.objects.get().throttle_reason
    over()
    assert f"Readers at {SLOW} are the next to be tried (5)" in why_waiting(send)


def test_a_canary_at_a_slow_domain_does_not_hold_the_others(
    sink: SmtpSink, smtp: SmtpTransport, monkeypatch: pytest.MonkeyPatch, settings: object, fake_queue: FakeQueue
) -> None:
    settings.CANARY = 3  # type: ignore[attr-defined]
    sink.script = says_later()
    send = prepared(*[SLOW] * 3, *["example.com"] * 6, size=4, monkeypatch=monkeypatch)
    assert send.canary_batch

    WorkerLoop(smtp, connections=2, seconds=LONG).run()

    check(send, submitted=6, pending=3)


def test_those_who_left_since_are_excluded_where_the_others_are_set_apart(sink: SmtpSink, smtp: SmtpTransport) -> None:
    mailbox_domains.throttle(SLOW, why=LATER)
    approval = make_approval()
    readers = make_list(approval.edition.publication)
    gone, *_ = (make_subscriber(readers, email=f"r{number}@{SLOW}") for number in range(3))
    send = make_prepared_send(0, approval=approval, lists=[readers])
    gone.subscriptions.update(status="unsubscribed")

    submit_all(send, smtp)

    check(send, pending=2, excluded={"unsubscribed": 1})
    assert lane().size == 3
    over()
    submit_all(send, smtp)
    check(send, submitted=2)
