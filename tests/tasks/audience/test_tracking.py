"""Batches are cut by whether their readers may be tracked."""

from typing import Any

import pytest
from django.db import connection

from composer.models import Approval
from subscribers.models import List, Subscriber
from tasks.models import Batch, Delivery, Send
from tasks.preparation import preparing
from tasks.sends import control
from tasks.sends.counts import as_json, counts
from tasks.sends.resend_to_missed import send_to_left_out
from tests.factories import (
    make_approval,
    make_edition,
    make_list,
    make_publication,
    make_segment,
    make_send,
    make_subscriber,
)

pytestmark = pytest.mark.django_db
ANSWERS = ("unknown", "granted", "denied")
AGREED_ONLY = {"tracking": True, "track_unknown": False}
UNKNOWN_TOO = {"tracking": True, "track_unknown": True}


def make_readers(on: List, each: int = 2, **fields: Any) -> None:
    for answer in ANSWERS:
        for _ in range(each):
            make_subscriber(on, tracking=answer, **fields)


def prepared(approval: Approval, **fields: Any) -> Send:
    send = make_send(approval=approval, **fields)
    assert preparing.prepare(send.pk) is not None
    return send


def answers_by_batch(send: Send) -> list[tuple[bool, set[str]]]:
    """Of each batch: whether it is tracked, and what its readers have said."""
    found = []
    for batch in Batch.objects.filter(send=send).order_by("tracked", "pk"):
        members = Delivery.objects.filter(batch_id=batch.pk).values_list("subscriber_id", flat=True)
        assert len(members) == batch.size
        said = Subscriber.objects.filter(pk__in=list(members)).values_list("tracking", flat=True)
        found.append((batch.tracked, set(said)))
    return found


@pytest.mark.parametrize(
    ("request_facts", "expected"),
    [
        (AGREED_ONLY, [(False, {"unknown", "denied"}), (True, {"granted"})]),
        (UNKNOWN_TOO, [(False, {"denied"}), (True, {"unknown", "granted"})]),
        ({"tracking": False, "track_unknown": True}, [(False, set(ANSWERS))]),
        # Approved before anybody was asked: who did not agree is not tracked.
        ({"tracking": True}, [(False, {"unknown", "denied"}), (True, {"granted"})]),
    ],
)
def test_who_may_be_tracked_goes_out_apart(request_facts: Any, expected: list[tuple[bool, set[str]]]) -> None:
    approval = make_approval(request=request_facts)
    make_readers(make_list(approval.edition.publication))

    send = prepared(approval)

    assert answers_by_batch(send) == expected
    assert counts(send).adds_up


@pytest.mark.parametrize(
    ("request_facts", "answer", "is_tracked"),
    [
        (AGREED_ONLY, "unknown", False),
        (AGREED_ONLY, "granted", True),
        (UNKNOWN_TOO, "unknown", True),
        (UNKNOWN_TOO, "denied", False),
    ],
)
def test_readers_who_say_the_same_share_batches(request_facts: Any, answer: str, is_tracked: bool) -> None:
    approval = make_approval(request=request_facts)
    readers = make_list(approval.edition.publication)
    for _ in range(3):
        make_subscriber(readers, tracking=answer)

    assert answers_by_batch(prepared(approval)) == [(is_tracked, {answer})]


@pytest.mark.parametrize("request_facts", [AGREED_ONLY, UNKNOWN_TOO])
def test_every_reader_s_own_answer_counts(request_facts: Any) -> None:
    """Answers are looked up 64 neighbours at a time, the last of which is the sign of a number."""
    approval = make_approval(request=request_facts)
    readers = make_list(approval.edition.publication)
    for number in range(150):
        make_subscriber(readers, tracking=ANSWERS[number * number % 7 % 3])

    send = prepared(approval)

    tracked = {"granted", "unknown"} if request_facts["track_unknown"] else {"granted"}
    asked = dict(Subscriber.objects.values_list("pk", "tracking"))
    for batch in Batch.objects.filter(send=send).order_by("pk"):
        members = Delivery.objects.filter(batch_id=batch.pk).values_list("subscriber_id", flat=True)
        assert {asked[reader] in tracked for reader in members} == {batch.tracked}
    assert Delivery.objects.filter(send_id=send.pk).count() == 150


@pytest.mark.parametrize("request_facts", [AGREED_ONLY, UNKNOWN_TOO])
def test_answers_count_for_the_few_who_were_left_out_as_well(request_facts: Any) -> None:
    approval = make_approval(request=request_facts)
    readers = make_list(approval.edition.publication)
    make_readers(readers)
    first, second = prepared(approval, lists=[readers]), prepared(approval, lists=[readers])
    assert not Delivery.objects.filter(send_id=second.pk).exists()
    assert control.cancel(first.pk)

    made = send_to_left_out(first.pk).send

    assert preparing.prepare(made.pk) is not None
    tracked = {"granted", "unknown"} if request_facts["track_unknown"] else {"granted"}
    assert dict(answers_by_batch(made)) == {True: tracked, False: set(ANSWERS) - tracked}


def test_the_answer_stands_beside_the_variant_and_the_time(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setattr("tasks.audience.freezing.BATCH_SIZE", 4)
    settings.CANARY = 3
    publication = make_publication()
    make_segment(publication, {"field": "tags", "op": "has_any", "value": ["vip"]}, slug="vip")
    approval = make_approval(
        make_edition(publication),
        audience_rules={"vip": {"field": "tags", "op": "has_any", "value": ["vip"]}},
        variants=[{"audiences": [[]]}, {"audiences": [["vip"]]}],
        request=AGREED_ONLY,
    )
    readers = make_list(publication)
    for tags in ([], ["vip"]):
        for zone in ("Asia/Singapore", "Europe/Berlin"):
            make_readers(readers, 5, tags=tags, timezone=zone)

    send = prepared(approval, local_at="2030-01-04T08:00")

    batches = Batch.objects.filter(send=send)
    assert sum(batch.size for batch in batches) == 60
    assert all(said == {"granted"} if tracked else "granted" not in said for tracked, said in answers_by_batch(send))
    kinds = {(batch.variant_id, batch.not_before, batch.tracked) for batch in batches}
    assert len(kinds) == 8
    assert counts(send).adds_up


def test_the_publication_s_setting_of_today_changes_nothing() -> None:
    publication = make_publication(tracking=True, track_unknown=True)
    approval = make_approval(make_edition(publication), request={"tracking": False, "track_unknown": False})
    make_readers(make_list(publication))

    assert answers_by_batch(prepared(approval)) == [(False, set(ANSWERS))]


def test_counts_name_the_base_of_opens_and_clicks() -> None:
    approval = make_approval(request=AGREED_ONLY)
    make_readers(make_list(approval.edition.publication))
    send = prepared(approval)
    assert counts(send).tracked == 0

    Batch.objects.filter(send=send).update(status="submitted")

    assert (counts(send).submitted, counts(send).tracked) == (6, 2)
    assert as_json(send)["tracked"] == 2


def test_where_nobody_said_anything_no_reader_is_looked_at() -> None:
    """The index answers; freezing itself reads what it always read."""
    approval = make_approval(request=AGREED_ONLY)
    make_subscriber(make_list(approval.edition.publication))
    with connection.execute_wrapper(_refuse_join):
        prepared(approval)


def _refuse_join(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    assert "said" not in sql
    return execute(sql, params, many, context)
