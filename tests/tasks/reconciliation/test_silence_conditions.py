"""Each condition of believing in silence at its very edge: without it a reader would get an edition twice (docs/adr/0008)."""

from typing import Any
from uuid import uuid4

import pytest

from tasks.database import high_water
from tasks.models import Batch, Receipt
from tasks.reconciliation import silence
from tasks.reconciliation.silence_conditions import HEARD_SHARE, LATER_REQUESTS, PASSES, Doubt
from tests.factories import make_attempt, make_batch

GRACE = 100.0


def doubt(**fields: Any) -> Doubt:
    """One that just proves a refusal."""
    just = {"passes": 5, "age": GRACE + 0.1, "later_heard": 3, "feed_passes": 0}
    meaningful = dict.fromkeys(("all_applied", "enabled", "webhook_accepted", "others_heard"), True)
    return Doubt(**{"attempt": uuid4(), "batch_id": 1, "send_id": 1} | just | meaningful | fields)


def test_the_numbers_are_those_of_the_record() -> None:
    assert (PASSES, LATER_REQUESTS, HEARD_SHARE, silence.HEARD_WITHIN) == (5, 3, 0.99, 300.0)


@pytest.mark.parametrize(
    ("fields", "proves"),
    [
        ({}, True),
        ({"passes": 6, "later_heard": 4, "age": 1e9}, True),
        ({"passes": 4}, False),
        ({"later_heard": 2}, False),
        ({"age": GRACE}, False),
        ({"all_applied": False}, False),
        ({"enabled": False}, False),
        ({"webhook_accepted": False}, False),
        ({"others_heard": False}, False),
    ],
)
def test_silence_proves_a_refusal_only_where_every_condition_holds(fields: dict[str, Any], proves: bool) -> None:
    assert doubt(**fields).proves_refusal(GRACE) is proves


class _Reporting:
    name = "sendgrid:test"
    reports = True


@pytest.mark.parametrize(
    ("fields", "probed"),
    [
        ({"later_heard": 2, "age": GRACE / 2}, True),
        ({"later_heard": 3, "age": GRACE / 2}, False),
        ({"later_heard": 2, "age": GRACE / 2 - 0.1}, False),
        ({"later_heard": 0, "age": GRACE, "others_heard": False}, False),
    ],
)
@pytest.mark.django_db
def test_a_probe_goes_out_only_where_too_few_later_requests_were_heard_of(
    fields: dict[str, Any], probed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = doubt(**fields)
    probes: list[int] = []
    monkeypatch.setattr(silence, "doubts_of", lambda _name, *, grace: [found])
    monkeypatch.setattr(silence.probes, "probe", lambda batch, **_: probes.append(batch))

    silence.reconcile(transport=_Reporting(), grace=GRACE)  # type: ignore[arg-type]

    assert probes == ([found.batch_id] if probed else [])


@pytest.mark.parametrize(("grace", "every"), [(100.0, 10.0), (10.0, 1.0), (5.0, 1.0)])
@pytest.mark.django_db
def test_the_oldest_doubt_is_probed_ten_times_in_a_grace(
    grace: float, every: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    doubts = [doubt(batch_id=7, later_heard=0, age=grace), doubt(batch_id=5, later_heard=0, age=grace - 1)]
    probes: list[tuple[int, float]] = []
    monkeypatch.setattr(silence, "doubts_of", lambda _name, *, grace: doubts)
    monkeypatch.setattr(silence.probes, "probe", lambda batch, *, transport, every: probes.append((batch, every)))

    silence.reconcile(transport=_Reporting(), grace=grace)  # type: ignore[arg-type]

    assert probes == [(7, every)]


@pytest.mark.parametrize(("receipt_waits", "status"), [(False, "pending"), (True, "unknown")])
@pytest.mark.django_db
def test_an_event_that_arrives_as_silence_is_believed_keeps_the_batch_from_going_out_again(
    receipt_waits: bool, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = make_batch(status=Batch.Status.UNKNOWN)
    batch.attempt = make_attempt(batch, outcome="unknown").pk
    batch.save(update_fields=["attempt"])
    found = doubt(attempt=batch.attempt, batch_id=batch.pk, send_id=batch.send_id)

    def looked(_name: str, *, grace: float) -> list[Doubt]:
        if receipt_waits:
            Receipt.objects.create(body=b"[]")
        return [found]

    monkeypatch.setattr(silence, "doubts_of", looked)

    silence.reconcile(transport=_Reporting(), grace=GRACE)  # type: ignore[arg-type]

    batch.refresh_from_db()
    assert batch.status == status


@pytest.mark.parametrize("is_sure", [True, False])
def test_a_database_that_may_lack_what_was_reported_believes_no_silence(
    is_sure: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def agrees() -> bool:
        if not is_sure:
            raise high_water.UnsureError("Redis is away")
        return False

    asked: list[str] = []
    monkeypatch.setattr(silence.database_behind, "agrees", agrees)
    monkeypatch.setattr(silence, "doubts_of", lambda name, *, grace: asked.append(name) or [])

    silence.reconcile(transport=_Reporting(), grace=GRACE)  # type: ignore[arg-type]

    assert asked == []
