"""While all connections are busy the next batch is built; it leaves only if nothing has changed meanwhile."""

import threading
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError

from subscribers.suppression import suppress
from tasks import worker_shutdown
from tasks.audience import freezing
from tasks.feedback import applying
from tasks.models import Batch, Send, TransactionalMail, WarmUp
from tasks.providers.base import Accepted, Outcome, Partial, Reason, Refused, Unknown
from tasks.sends import control
from tasks.sends.counts import counts
from tasks.submission import posting
from tasks.submission import worker_loop as worker_loop_module
from tasks.submission.claiming import Claim, claim_next
from tasks.submission.posting import Done, Encoded, Request
from tasks.submission.worker_loop import WorkerLoop
from tests.factories import make_prepared_send, make_transactional_mail
from tests.waiting import LONG

pytestmark = pytest.mark.django_db

ACCEPTED = Accepted(http_status=202, provider_id="")
TOO_MANY = Refused(reason=Reason.TOO_MANY, message="HTTP 429", http_status=429, retry_after=60.0)
NOBODY = frozenset[int]()
GREYLISTED = Partial(accepted=NOBODY, refused={}, put_off={0: "450", 1: "450"}, not_tried=NOBODY, unknown=NOBODY)


class Provider:
    """It answers the first request at once, and the second only when the next batch is built and `then` was done with it."""

    name = "provider"
    reports = False

    def __init__(self, *, second_answer: Outcome = ACCEPTED) -> None:
        self.encoded: list[tuple[str, ...]] = []
        self.posted: list[tuple[str, ...]] = []
        self.may_answer = threading.Event()
        self._second_answer = second_answer

    def encode(self, message: Any, recipients: Any, *, attempt: Any) -> tuple[str, ...]:
        del message, attempt
        self.encoded.append(tuple(recipient.email for recipient in recipients))
        return self.encoded[-1]

    def post(self, body: tuple[str, ...]) -> Outcome:
        self.posted.append(body)
        if len(self.posted) != 2:
            return ACCEPTED
        assert self.may_answer.wait(LONG)
        return self._second_answer


@pytest.fixture
def send(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Send:
    """Four batches of two readers, none of which waits for the first (`test_canary`), and a machine that is never too slow."""
    settings.CANARY = 0
    monkeypatch.setattr(freezing, "BATCH_SIZE", 2)
    monkeypatch.setattr(worker_loop_module, "AHEAD_SECONDS", LONG)
    return make_prepared_send(8)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A loop with one connection: `then` is called with the first batch that was built ahead; after that the provider answers."""
    encode_next, ahead = posting.encode_next, list[Encoded]()

    def run(provider: Provider, then: Callable[[Encoded], object], *, answers: bool = True) -> None:
        def encode(*args: Any, **kwargs: Any) -> Any:
            encoded = encode_next(*args, **kwargs)
            if len(provider.encoded) == 3 and isinstance(encoded, Encoded) and not ahead:
                ahead.append(encoded)
                then(encoded)
                if answers:
                    provider.may_answer.set()
            return encoded

        monkeypatch.setattr(posting, "encode_next", encode)
        WorkerLoop(provider, connections=1, seconds=LONG).run()
        assert ahead, "nothing was built ahead"

    return run


def test_the_next_batch_is_built_before_a_connection_is_free(send: Send, run: Callable[..., None]) -> None:
    provider = Provider()

    run(provider, lambda _: None)

    assert provider.posted == provider.encoded, "each was built once"
    assert (counts(send).submitted, counts(send).status) == (8, "sent")


def test_what_waited_for_something_else_is_built_anew(
    send: Send, run: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection was free in time, but then the thread was held up by receipts."""
    has_left = list[str]()

    def hold_up() -> None:
        if has_left:
            monkeypatch.setattr(worker_loop_module, "AHEAD_SECONDS", 0.0)

    monkeypatch.setattr(applying, "apply_waiting", hold_up)

    def somebody_leaves(encoded: Encoded) -> None:
        has_left.append(encoded.built.recipients[0].email)
        suppress(has_left[0], "complaint")

    run(Provider(), somebody_leaves)

    assert counts(send).excluded == {"complaint": 1}


def test_what_waited_too_long_is_built_anew(
    send: Send, run: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    provider, put_back = Provider(), posting.put_back

    def then_answer(*args: Any, **kwargs: Any) -> None:
        put_back(*args, **kwargs)
        provider.may_answer.set()

    monkeypatch.setattr(posting, "put_back", then_answer)

    def somebody_leaves(encoded: Encoded) -> None:
        suppress(encoded.built.recipients[0].email, "complaint")
        monkeypatch.setattr(worker_loop_module, "AHEAD_SECONDS", 0.0)

    run(provider, somebody_leaves, answers=False)

    assert counts(send).excluded == {"complaint": 1}
    assert sum(len(readers) for readers in provider.posted) == counts(send).submitted == 7
    assert len(provider.encoded) == 5, (
        "for a provider that takes longer than it is good for nothing more is built ahead"
    )


@pytest.mark.parametrize(
    "answer", [TOO_MANY, Unknown(message="HTTP 502"), GREYLISTED], ids=lambda one: type(one).__name__
)
def test_whatever_is_not_accepted_is_answered_by_a_new_claim(
    send: Send, run: Callable[..., None], answer: Outcome
) -> None:
    provider, first = Provider(second_answer=answer), list[Encoded]()

    run(provider, first.append)

    # The third request is of another claim, if there was any.
    assert len(provider.posted) == 2 or Batch.objects.get(pk=first[0].claim.batch_id).attempts == 2
    assert (len(provider.posted) == 2) == (answer is TOO_MANY), "after a 429 nothing may leave"


def test_nothing_leaves_over_another_connection_than_the_claims(send: Send) -> None:
    """It may lead to another server, which was not compared with the mark of what was sent."""
    provider = Provider()
    encoded = posting.encode_next(provider)
    assert isinstance(encoded, Encoded)

    assert isinstance(posting.fence_encoded(replace(encoded, session=object()), provider), Done)

    assert set(Batch.objects.filter(send=send).values_list("status", flat=True)) == {"pending"}
    assert isinstance(posting.begin(provider), Request)


def test_a_single_mail_takes_the_free_connection(
    send: Send, run: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_loop_module, "LOOK_INTERVAL", 0.0)
    provider, put_back = Provider(), list[str]()
    release = posting.put_back
    monkeypatch.setattr(
        posting, "put_back", lambda *args, why, **kwargs: (put_back.append(why), release(*args, why=why, **kwargs))
    )

    run(provider, lambda _: make_transactional_mail())

    assert put_back == ["A single mail goes first."]
    assert TransactionalMail.objects.get().status == "submitted"
    assert counts(send).submitted == 8


@pytest.mark.parametrize(("stop", "left"), [(control.pause, "pending"), (control.cancel, "cancelled")])
def test_nothing_built_ahead_leaves_once_its_send_is_stopped(
    send: Send, run: Callable[..., None], stop: Callable[..., object], left: str
) -> None:
    provider = Provider()

    run(provider, lambda _: stop(send.pk, *["Paused."] * (stop is control.pause)))

    assert len(provider.posted) == 2
    statuses = Batch.objects.filter(send=send).values_list("status", flat=True)
    assert sorted(statuses) == [left, left, "submitted", "submitted"]


@pytest.mark.parametrize("database_is_away", [False, True])
def test_at_the_end_it_is_put_back_and_the_outcomes_are_recorded(
    send: Send, run: Callable[..., None], monkeypatch: pytest.MonkeyPatch, database_is_away: bool
) -> None:
    provider, stopping = Provider(), list[bool]()
    monkeypatch.setattr(worker_shutdown, "is_requested", lambda: bool(stopping))
    put_back = posting.put_back

    def put_back_if_it_can(*args: Any, **kwargs: Any) -> None:
        if database_is_away:
            raise OperationalError("server closed the connection unexpectedly")
        put_back(*args, **kwargs)

    monkeypatch.setattr(posting, "put_back", put_back_if_it_can)

    with pytest.raises(OperationalError) if database_is_away else nullcontext():
        run(provider, lambda _: stopping.append(True))

    assert (len(provider.posted), counts(send).submitted) == (2, 4)
    of_the_others = Batch.objects.filter(send=send).exclude(status="submitted").order_by("status")
    assert list(of_the_others.values_list("status", flat=True)) == [
        "building" if database_is_away else "pending",
        "pending",
    ]


def test_where_a_limit_has_to_be_asked_nothing_is_built_ahead(send: Send, settings: Any) -> None:
    """Put back, it would have taken its share of the rate, of the day's ceiling or of the breaker's probes."""
    assert isinstance(claim_next(attempt=uuid4(), transport="provider"), Claim)
    assert isinstance(claim_next(attempt=uuid4(), transport="provider", unlimited=True), Claim)

    settings.RATE_RECIPIENTS = 1_000_000
    assert claim_next(attempt=uuid4(), transport="provider", unlimited=True) is None
    settings.RATE_RECIPIENTS = 0
    WarmUp.objects.create(domain=send.sender_domain, starts_on=date(2026, 1, 1), ceilings=[1000])
    assert claim_next(attempt=uuid4(), transport="provider", unlimited=True) is None
    assert Batch.objects.filter(status="pending").count() == 2
