"""A server that has lost its directory knows nobody: so many of a request are not believed, and none of them fails before a person has looked."""

from typing import Any

import pytest
from django.db.models.functions import Now

from subscribers.models import Subscriber, Suppression
from tasks.models import Alarm, Attempt, Batch, Send
from tasks.providers.smtp.transport import SmtpTransport
from tasks.sends import control
from tasks.submission import posting
from tests.factories import make_prepared_send
from tests.smtp_server import Script, SmtpSink
from tests.tasks.submission.smtp_sends import check, no_wait, submit_all

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

NOBODY = "550 5.1.1 no such user"


def dead(number: int, words: str = NOBODY) -> Script:
    """A server that knows nothing of so many readers, whenever it is asked for them."""
    addresses = set(Subscriber.objects.order_by("pk").values_list("email", flat=True)[:number])
    return lambda where, _accepted, recipient: words if where == "rcpt" and recipient in addresses else ""


def is_paused(send: Send) -> bool:
    send.refresh_from_db()
    return send.status == Send.Status.PAUSED


def go_on(send: Send, smtp: SmtpTransport) -> None:
    assert control.resume(send.pk, who="ada")
    no_wait(send)
    submit_all(send, smtp)


@pytest.mark.parametrize("words", [NOBODY, "550 5.2.1 closed", "550 5.7.1 not wanted"])
def test_everybody_refused_pauses_the_send_and_fails_nobody(words: str, sink: SmtpSink, smtp: SmtpTransport) -> None:
    send = make_prepared_send(15)
    sink.script = dead(15, words)

    submit_all(send, smtp)

    check(send, pending=15, failed=0)
    assert is_paused(send)
    assert "refused 15 of 15 readers" in send.pause_reason
    assert words in send.pause_reason
    assert "resume" in send.pause_reason
    assert Alarm.objects.get(code=Alarm.Code.SEND_PAUSED).message == send.pause_reason
    assert not Suppression.objects.exists()
    sink.script = lambda *_: ""
    go_on(send, smtp)
    check(send, submitted=15)


def test_the_others_of_the_request_get_theirs(sink: SmtpSink, smtp: SmtpTransport) -> None:
    send = make_prepared_send(20)
    sink.script = dead(3)

    submit_all(send, smtp)

    check(send, submitted=17, pending=3, failed=0)
    assert is_paused(send)
    assert Batch.objects.get(status="pending").rounds == 0, "greylisting is counted by itself"


def test_who_is_refused_again_after_a_person_has_resumed_fails(sink: SmtpSink, smtp: SmtpTransport) -> None:
    send = make_prepared_send(20)
    sink.script = dead(3)
    submit_all(send, smtp)
    assert is_paused(send)

    go_on(send, smtp)

    check(send, submitted=17, failed=3)
    assert not is_paused(send)
    assert send.status == Send.Status.SENT


def test_a_send_paused_by_hand_meanwhile_pauses_once_more_for_this(sink: SmtpSink, smtp: SmtpTransport) -> None:
    """Whoever resumes it had not been told of it yet."""
    send = make_prepared_send(20)
    original = smtp.post

    def pause_and_post(body: Any) -> Any:
        control.pause(send.pk, "lunch", who="ada")
        return original(body)

    smtp.post = pause_and_post  # type: ignore[method-assign]
    sink.script = dead(3)
    submit_all(send, smtp)
    smtp.post = original  # type: ignore[method-assign]
    check(send, submitted=17, pending=3)
    assert is_paused(send)
    assert send.pause_reason == "lunch"

    go_on(send, smtp)
    check(send, submitted=17, pending=3)
    assert is_paused(send)
    go_on(send, smtp)
    check(send, submitted=17, failed=3)


def test_a_request_from_before_it_was_resumed_is_not_believed_either(sink: SmtpSink, smtp: SmtpTransport) -> None:
    """Several are under way when the first of them pauses the send."""
    send = make_prepared_send(20)
    sink.script = dead(3)
    request = posting.begin(smtp)
    assert isinstance(request, posting.Request)
    Attempt.objects.create(
        batch_id=request.claim.batch_id,
        number=99,
        size=20,
        transport=smtp.name,
        finished_at=Now(),
        evidence=[{"kind": "answers", "disbelieved": True}],
    )
    control.pause(send.pk, "so many are not believed")
    control.resume(send.pk, who="ada")

    posting.settle(request, posting.post(request, smtp), smtp)

    check(send, submitted=17, pending=3, failed=0)
    assert is_paused(send)


def test_a_few_dead_addresses_fail_at_once(sink: SmtpSink, smtp: SmtpTransport) -> None:
    send = make_prepared_send(30)
    sink.script = dead(3)

    submit_all(send, smtp)

    check(send, submitted=27, failed=3)
    assert not is_paused(send)
    assert "disbelieved" not in Attempt.objects.get().evidence[0]


def test_two_who_are_all_of_a_small_list_fail(sink: SmtpSink, smtp: SmtpTransport) -> None:
    send = make_prepared_send(2)
    sink.script = dead(2)

    submit_all(send, smtp)

    check(send, failed=2)


def test_those_whom_a_greylisting_server_does_not_know_after_all_fail(sink: SmtpSink, smtp: SmtpTransport) -> None:
    """The living among those who were put off are taken first: a share of those who are left says little."""
    send = make_prepared_send(40)
    sink.script = dead(8, "451 4.7.1 greylisted")
    submit_all(send, smtp)
    check(send, submitted=32, pending=8)

    sink.script = dead(4)
    no_wait(send)
    submit_all(send, smtp)

    check(send, submitted=36, failed=4)
    assert not is_paused(send)


def test_but_not_when_all_of_them_are_many(sink: SmtpSink, smtp: SmtpTransport) -> None:
    send = make_prepared_send(15)
    sink.script = dead(15, "451 4.7.1 greylisted")
    submit_all(send, smtp)
    check(send, pending=15)

    sink.script = dead(15)
    no_wait(send)
    submit_all(send, smtp)

    check(send, pending=15, failed=0)
    assert is_paused(send)


def test_addresses_to_which_we_cannot_write_are_not_the_servers_doing(sink: SmtpSink, smtp: SmtpTransport) -> None:
    send = make_prepared_send(5)
    for subscriber in Subscriber.objects.order_by("pk")[:4]:
        Subscriber.objects.filter(pk=subscriber.pk).update(email=f"josé{subscriber.pk}@example.com")

    submit_all(send, smtp)

    check(send, submitted=1, failed=4)
    assert not is_paused(send)


def test_in_a_cancelled_send_they_are_cancelled(sink: SmtpSink, smtp: SmtpTransport) -> None:
    send = make_prepared_send(15)
    original = smtp.post

    def cancel_and_post(body: Any) -> Any:
        control.cancel(send.pk)
        return original(body)

    smtp.post = cancel_and_post  # type: ignore[method-assign]
    sink.script = dead(15)
    submit_all(send, smtp)

    check(send, failed=0, excluded={"cancelled": 15})
