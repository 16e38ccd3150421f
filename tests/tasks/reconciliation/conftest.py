"""A request in doubt, and an activity feed that shortens the grace of its silence."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F

from newsdesk.core import redis_client
from tasks.models import Attempt, Send
from tasks.providers.sendgrid.transport import SendGridTransport
from tasks.reconciliation.silence_conditions import PASSES
from tasks.submission import posting
from tasks.throttling import breaker
from tests.factories import make_prepared_send
from tests.tasks.reconciliation.doubts import DAY, SHORT
from tests.tasks.submission.batches import only_batch


@pytest.fixture
def activity_grace(settings: Any, valkey_url: str) -> None:
    settings.ACTIVITY_GRACE = SHORT
    settings.SILENCE_GRACE = int(DAY)
    redis_client.client(valkey_url).flushall()


@pytest.fixture
def no_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.reconciliation.probes.probe", lambda *args, **kwargs: False)


@pytest.fixture
def doubtful(transport: SendGridTransport, fault: Any) -> Callable[..., Send]:
    """A send whose only batch is unknown for longer than the short grace, silent in five passes; accepted or not."""

    def make(*, accepted: bool, readers: int = 5, age: float = SHORT + 60) -> Send:
        fault("accept-then-close" if accepted else "reject-then-close", times=1)
        send = make_prepared_send(readers)
        posting.submit_batch(only_batch(send).pk, transport=transport)
        breaker.close(transport.name)
        past = timedelta(seconds=age)
        Attempt.objects.filter(batch__send=send).update(
            fenced_at=F("fenced_at") - past, finished_at=F("finished_at") - past, silent_passes=PASSES
        )
        return send

    return make
