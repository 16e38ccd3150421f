"""A worker that stood still comes back with its answers when its batch was given to another: who has it is not mailed again."""

from collections import Counter
from uuid import uuid4

import pytest
from django.db import transaction

from tasks.attempts import reader_proof
from tasks.models import Alarm, Attempt, Batch, Delivery, Send
from tasks.providers.base import Accepted, Outcome, Partial, Reason, Refused, Unknown
from tasks.providers.smtp.transport import SmtpTransport
from tasks.reconciliation import decisions
from tasks.sends import control
from tasks.sends.counts import counts
from tasks.submission import posting, recovery
from tests.factories import make_prepared_send
from tests.smtp_server import CLOSE, SmtpSink
from tests.tasks.submission.smtp_sends import check, gone, no_wait, submit_all

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


def posted(sink: SmtpSink, smtp: SmtpTransport, *, taken: int) -> tuple[posting.Request, Outcome]:
    """A request of which the server takes so many messages; nobody has recorded its outcome yet."""
    no_wait(Send.objects.get())
    request = posting.begin(smtp)
    assert isinstance(request, posting.Request)
    sink.script = gone("mail", len(sink.kept) + taken, CLOSE)
    outcome = posting.post(request, smtp)
    sink.script = lambda *_: ""
    return request, outcome


def send_again(request: posting.Request) -> None:
    """Its worker is taken for dead, and a person decides about its readers."""
    Batch.objects.filter(pk=request.claim.batch_id).update(claimed_at="2020-01-01T00:00:00Z")
    recovery.release_abandoned()
    assert decisions.resend(request.claim.batch_id, who="ada")


def frozen(sink: SmtpSink, smtp: SmtpTransport) -> tuple[Send, posting.Request, Outcome]:
    """Of ten readers the server has taken four when the worker is frozen; then a person has them sent again."""
    send = make_prepared_send(10)
    request, outcome = posted(sink, smtp, taken=4)
    assert isinstance(outcome, Partial)
    assert (len(outcome.accepted), len(outcome.not_tried)) == (4, 6)
    send_again(request)
    check(send, pending=10)
    return send, request, outcome


def twice() -> int:
    return Alarm.objects.filter(code=Alarm.Code.ACCEPTED_TWICE).count()


def most_mails(sink: SmtpSink) -> int:
    return max(Counter(sink.addresses()).values())


def test_who_has_it_is_not_mailed_again(sink: SmtpSink, smtp: SmtpTransport) -> None:
    send, request, outcome = frozen(sink, smtp)

    for _ in range(2):
        posting.settle(request, outcome, smtp)

    check(send, submitted=4, pending=6)
    no_wait(send)
    submit_all(send, smtp)
    check(send, submitted=10)
    assert (most_mails(sink), twice()) == (1, 0)
    send.refresh_from_db()
    assert send.status == Send.Status.SENT
    facts = [fact for row in Attempt.objects.filter(pk=request.claim.attempt) for fact in row.evidence]
    assert [fact["kind"] for fact in facts].count("answers") == 1


def test_who_was_sent_it_again_is_an_alarm(sink: SmtpSink, smtp: SmtpTransport) -> None:
    send, request, outcome = frozen(sink, smtp)
    submit_all(send, smtp)
    check(send, submitted=10)
    assert twice() == 0

    for _ in range(2):
        posting.settle(request, outcome, smtp)

    check(send, submitted=10)
    assert twice() == 1


def test_a_worker_that_builds_the_second_request_leaves_them_out(sink: SmtpSink, smtp: SmtpTransport) -> None:
    send, request, outcome = frozen(sink, smtp)
    Batch.objects.update(status="building", attempt="00000000-0000-4000-8000-000000000001")

    posting.settle(request, outcome, smtp)

    check(send, submitted=4, pending=6)
    assert Batch.objects.get(status="pending").attempt is None, "its fence fails"


@pytest.mark.parametrize("taken", [10, 5, 0])
def test_while_the_second_request_is_under_way(taken: int, sink: SmtpSink, smtp: SmtpTransport) -> None:
    send, request, outcome = frozen(sink, smtp)
    second, answer = posted(sink, smtp, taken=taken)

    posting.settle(request, outcome, smtp)
    check(send, submitted=4, submitting=6)
    posting.settle(second, answer, smtp)

    assert twice() == (1 if taken else 0)
    no_wait(send)
    submit_all(send, smtp)
    check(send, submitted=10)
    assert most_mails(sink) == (2 if taken else 1)


def test_the_second_request_is_lost_and_comes_back_after_the_first(sink: SmtpSink, smtp: SmtpTransport) -> None:
    send, request, outcome = frozen(sink, smtp)
    second, answer = posted(sink, smtp, taken=10)
    posting.settle(second, Unknown(message="lost"), smtp)
    posting.settle(request, outcome, smtp)
    check(send, submitted=4, unknown=6)
    assert twice() == 0, "nobody knows"

    for _ in range(2):
        posting.settle(second, answer, smtp)

    check(send, submitted=10)
    assert twice() == 1


def test_the_answers_come_in_the_wrong_order(sink: SmtpSink, smtp: SmtpTransport) -> None:
    """Both were frozen; a third request waits."""
    send, request, outcome = frozen(sink, smtp)
    second, answer = posted(sink, smtp, taken=3)
    send_again(second)

    posting.settle(second, answer, smtp)
    check(send, submitted=3, pending=7)
    assert twice() == 0
    posting.settle(request, outcome, smtp)
    posting.settle(second, answer, smtp)

    check(send, submitted=4, pending=6)
    assert twice() == 1
    no_wait(send)
    submit_all(send, smtp)
    check(send, submitted=10)
    assert len(sink.kept) == 4 + 3 + 6


def test_the_batch_was_divided_meanwhile(sink: SmtpSink, smtp: SmtpTransport) -> None:
    send, request, outcome = frozen(sink, smtp)
    second, answer = posted(sink, smtp, taken=2)
    posting.settle(second, answer, smtp)
    check(send, submitted=2, pending=8)

    posting.settle(request, outcome, smtp)

    check(send, submitted=4, pending=6)
    assert twice() == 1, "two have it twice"
    no_wait(send)
    submit_all(send, smtp)
    assert len(sink.kept) == 4 + 2 + 6


def test_the_batch_was_divided_and_all_of_it_sent_again(sink: SmtpSink, smtp: SmtpTransport) -> None:
    """Nobody of the first four was in the part that keeps the batch."""
    send, request, outcome = frozen(sink, smtp)
    second = posting.begin(smtp)
    assert isinstance(second, posting.Request)
    later = Partial(
        accepted=frozenset(range(4, 10)),
        refused={},
        put_off={},
        not_tried=frozenset(range(4)),
        unknown=frozenset(),
        reason=Reason.NOT_SENT,
    )
    posting.settle(second, later, smtp)
    no_wait(send)
    submit_all(send, smtp)
    check(send, submitted=10)
    assert most_mails(sink) == 2

    for _ in range(2):
        posting.settle(request, outcome, smtp)

    check(send, submitted=10)
    assert twice() == 1


def test_all_had_it_and_the_batch_was_divided_meanwhile(sink: SmtpSink, smtp: SmtpTransport) -> None:
    send = make_prepared_send(10)
    request, outcome = posted(sink, smtp, taken=10)
    assert isinstance(outcome, Accepted)
    send_again(request)
    second, answer = posted(sink, smtp, taken=6)
    posting.settle(second, answer, smtp)
    check(send, submitted=6, pending=4)

    for _ in range(2):
        posting.settle(request, outcome, smtp)

    check(send, submitted=10)
    assert twice() == 1, "six have it twice"
    submit_all(send, smtp)
    assert len(sink.kept) == 10 + 6


def test_a_reader_whom_a_lost_request_had_leaves_a_first_one_that_is_under_way(
    sink: SmtpSink, smtp: SmtpTransport
) -> None:
    """The database was restored, and reports of what it lacks come for days."""
    send = make_prepared_send(4)
    no_wait(send)
    request = posting.begin(smtp)
    assert isinstance(request, posting.Request)
    sink.script = gone("mail", 1, CLOSE)
    outcome = posting.post(request, smtp)
    assert isinstance(outcome, Partial)
    assert outcome.not_tried
    reader = request.built.subscriber_ids[min(outcome.not_tried)]
    with transaction.atomic():
        reader_proof.prove_readers({(send.pk, reader): uuid4()}, by={"kind": "event"})

    posting.settle(request, outcome, smtp)

    counted = counts(send)
    assert (counted.submitted + counted.pending, counted.unknown, counted.failed) == (4, 0, 0)
    waiting = Batch.objects.filter(status="pending").values_list("pk", flat=True)
    assert reader not in Delivery.objects.filter(batch_id__in=list(waiting)).values_list("subscriber_id", flat=True)


def test_reports_one_by_one_of_what_was_given_up_are_one_alarm(sink: SmtpSink, smtp: SmtpTransport) -> None:
    send, request, _ = frozen(sink, smtp)
    assert control.cancel(send.pk)
    other = make_prepared_send(0, approval=send.approval, lists=list(send.lists.all()))
    submit_all(other, smtp)
    readers = Delivery.objects.filter(send_id=send.pk).order_by("subscriber_id").values_list("subscriber_id", flat=True)

    for reader in readers[:3]:
        with transaction.atomic():
            reader_proof.prove_readers({(send.pk, reader): request.claim.attempt}, by={"kind": "event"})

    assert twice() == 1


@pytest.mark.parametrize("sent_by_another", [True, False])
def test_a_cancelled_send_counts_who_has_it(sent_by_another: bool, sink: SmtpSink, smtp: SmtpTransport) -> None:
    send, request, outcome = frozen(sink, smtp)
    assert control.cancel(send.pk)
    if sent_by_another:
        other = make_prepared_send(0, approval=send.approval, lists=list(send.lists.all()))
        submit_all(other, smtp)
        check(other, submitted=10)

    posting.settle(request, outcome, smtp)

    check(send, submitted=4, excluded={"cancelled": 6})
    assert twice() == sent_by_another
    if sent_by_another:
        assert f"send {other.pk} has readers of it too" in Alarm.objects.get(code=Alarm.Code.ACCEPTED_TWICE).message


def test_a_second_request_that_never_left_mails_only_the_others_later(sink: SmtpSink, smtp: SmtpTransport) -> None:
    send, request, outcome = frozen(sink, smtp)
    second = posting.begin(smtp)
    assert isinstance(second, posting.Request)
    posting.settle(request, outcome, smtp)

    posting.settle(second, Refused(reason=Reason.NOT_SENT, message="no connection"), smtp)

    check(send, submitted=4, pending=6)
    no_wait(send)
    submit_all(send, smtp)
    check(send, submitted=10)
    assert (most_mails(sink), twice()) == (1, 0)
