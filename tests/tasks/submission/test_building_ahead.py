"""While all connections are busy the next batch is built; it leaves only if nothing has changed meanwhile."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError

from subscribers.suppression import suppress
from tasks import worker_shutdown
from tasks.audience import freezing
from tasks.feedback import applying
from tasks.models import Batch, Send
from tasks.providers.base import Accepted, Outcome, Reason, Refused
from tasks.sends import control
from tasks.sends.counts import counts
from tasks.submission import posting
from tasks.submission import worker_loop as worker_loop_module
from tasks.submission.posting import Encoded
from tasks.submission.worker_loop import WorkerLoop
from tests.factories import make_prepared_send
from tests.waiting import LONG

pytestmark = pytest.mark.django_db

ACCEPTED = Accepted(http_status=202, provider_id="")
TOO_MANY = Refused(reason=Reason.TOO_MANY, message="HTTP 429", http_status=429, retry_after=60.0)


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
    """The connection was free in time, but then the thread was held up by a mail or by receipts."""
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


def test_nothing_built_ahead_leaves_after_a_refusal(send: Send, run: Callable[..., None]) -> None:
    provider = Provider(second_answer=TOO_MANY)

    run(provider, lambda _: None)

    assert len(provider.posted) == 2
    assert sorted(Batch.objects.filter(send=send).values_list("status", flat=True)) == [*["pending"] * 3, "submitted"]


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

    try:
        run(provider, lambda _: stopping.append(True))
    except OperationalError:
        assert database_is_away

    assert (len(provider.posted), counts(send).submitted) == (2, 4)
    of_the_others = Batch.objects.filter(send=send).exclude(status="submitted").order_by("status")
    assert list(of_the_others.values_list("status", flat=True)) == [
        "building" if database_is_away else "pending",
        "pending",
    ]


@pytest.mark.integration
@pytest.mark.usefixtures("valkey_url")
@pytest.mark.parametrize("rate", [0, 1_000_000])
def test_with_a_rate_nothing_is_built_ahead(
    send: Send, monkeypatch: pytest.MonkeyPatch, settings: Any, rate: int
) -> None:
    """Put back, it would have taken its share of the rate."""
    settings.RATE_RECIPIENTS = rate
    provider, encode_next, on_the_way = Provider(), posting.encode_next, list[int]()
    provider.may_answer.set()

    def noted(*args: Any, **kwargs: Any) -> Any:
        on_the_way.append(Batch.objects.filter(send=send, status="submitting").count())
        return encode_next(*args, **kwargs)

    monkeypatch.setattr(posting, "encode_next", noted)
    WorkerLoop(provider, connections=1, seconds=LONG).run()

    assert counts(send).submitted == 8
    assert max(on_the_way) == (0 if rate else 1)
