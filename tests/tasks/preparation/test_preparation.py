from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.audience import freezing
from tasks.models import Batch, Delivery, Exclusion, Send, WarmUp
from tasks.preparation import preparing
from tasks.sends import scheduling, wake_ups
from tasks.sends.counts import counts
from tasks.throttling import warm_up
from tests.factories import (
    make_approval,
    make_edition,
    make_list,
    make_prepared_send,
    make_publication,
    make_segment,
    make_send,
    make_subscriber,
    make_suppression,
)

pytestmark = pytest.mark.django_db

ASIA = {"field": "attributes.region", "op": "eq", "value": "asia"}
VIP = {"field": "tags", "op": "has_any", "value": ["vip"]}


def test_everyone_active_on_the_list_gets_a_delivery_in_one_batch() -> None:
    send = make_send(3)

    prepared = preparing.prepare(send.pk)

    assert prepared is not None
    assert (prepared.candidates, prepared.deliveries, prepared.batches, prepared.excluded) == (3, 3, 1, {})
    send.refresh_from_db()
    assert send.status == Send.Status.SENDING
    assert send.system_identifier
    assert counts(send).pending == 3


def test_preparing_twice_changes_nothing() -> None:
    send = make_prepared_send(3)

    assert preparing.prepare(send.pk) is None
    assert Delivery.objects.filter(send_id=send.pk).count() == 3


def test_it_waits_for_its_time() -> None:
    send = make_send(1, scheduled_at=timezone.now() + timedelta(minutes=5))

    assert preparing.prepare(send.pk) is None
    assert preparing.prepare_due() == 0


def test_every_reason_is_stated_once_with_the_weightiest_first() -> None:
    publication = make_publication()
    readers, other = make_list(publication), make_list(publication, "other")
    fine = make_subscriber(readers)
    make_subscriber(readers, status="pending")
    make_subscriber(readers, status="unsubscribed")
    for reason in ("hard_bounce", "complaint", "invalid", "manual"):
        make_suppression(make_subscriber(readers), reason)
    make_suppression(make_subscriber(readers), "unsubscribed", publication)
    bounced_and_gone = make_subscriber(readers, status="unsubscribed")
    make_suppression(bounced_and_gone, "hard_bounce")
    elsewhere = make_subscriber(readers)
    make_suppression(elsewhere, "unsubscribed", make_publication())
    make_subscriber(other)
    send = make_send(approval=make_approval(make_edition(publication)), lists=[readers])

    prepared = preparing.prepare(send.pk)

    assert prepared is not None
    assert prepared.excluded == {
        "unconfirmed": 1, "unsubscribed": 2, "hard_bounce": 2, "complaint": 1, "invalid": 1, "manual": 1,
    }  # fmt: skip
    assert set(Delivery.objects.filter(send_id=send.pk).values_list("subscriber_id", flat=True)) == {
        fine.pk,
        elsewhere.pk,
    }
    assert Exclusion.objects.get(subscriber_id=bounced_and_gone.pk).reason == "hard_bounce"


def test_a_reader_on_two_lists_is_one_candidate_and_active_on_one_is_enough() -> None:
    publication = make_publication()
    one, two = make_list(publication, "one"), make_list(publication, "two")
    reader = make_subscriber(one, status="unsubscribed")
    reader.subscriptions.create(list=two, status="active")
    send = make_send(approval=make_approval(make_edition(publication)), lists=[one, two])

    prepared = preparing.prepare(send.pk)

    assert prepared is not None
    assert (prepared.candidates, prepared.deliveries) == (1, 1)


def test_the_segment_chooses_candidates_by_the_rule_as_it_was_when_scheduled() -> None:
    publication = make_publication()
    readers = make_list(publication)
    make_subscriber(readers, attributes={"region": "asia"})
    make_subscriber(readers, attributes={"region": "europe"})
    segment = make_segment(publication, ASIA)
    send = make_send(approval=make_approval(make_edition(publication)), lists=[readers], segment=segment)
    segment.rule = {"field": "attributes.region", "op": "eq", "value": "nowhere"}
    segment.save()

    prepared = preparing.prepare(send.pk)

    assert prepared is not None
    assert (prepared.candidates, prepared.excluded) == (1, {})


def test_readers_get_the_variant_of_their_segments_and_those_with_no_story_are_excluded() -> None:
    publication = make_publication()
    readers = make_list(publication)
    both = make_subscriber(readers, attributes={"region": "asia"}, tags=["vip"])
    vip = make_subscriber(readers, tags=["vip"])
    asia = make_subscriber(readers, attributes={"region": "asia"})
    neither = make_subscriber(readers)
    approval = make_approval(
        make_edition(publication),
        audience_rules={"vip": VIP, "asia": ASIA},
        variants=[
            {"audiences": [["asia"], ["asia", "vip"]]},
            {"audiences": [["vip"]]},
            {"audiences": [[]], "stories": 0},
        ],
    )
    send = make_send(approval=approval, lists=[readers])

    prepared = preparing.prepare(send.pk)

    assert prepared is not None
    assert prepared.excluded == {"no_stories": 1}
    position = {
        d.subscriber_id: Batch.objects.select_related("variant").get(pk=d.batch_id).variant.position
        for d in Delivery.objects.filter(send_id=send.pk)
    }
    assert position == {both.pk: 0, asia.pk: 0, vip.pk: 1}
    assert Exclusion.objects.get(send_id=send.pk).subscriber_id == neither.pk


def test_a_set_of_segments_without_a_variant_pauses_the_send() -> None:
    approval = make_approval(audience_rules={"vip": VIP}, variants=[{"audiences": [[]]}])
    send = make_send(1, approval=approval)

    assert preparing.prepare(send.pk) is None
    send.refresh_from_db()
    assert send.status == Send.Status.PAUSED
    assert "no variant was frozen for readers in ['vip']" in send.pause_reason
    assert not Delivery.objects.exists()


def test_a_second_send_of_the_edition_leaves_out_who_has_it() -> None:
    first = make_prepared_send(3)
    gone, failed = Delivery.objects.filter(send_id=first.pk).values_list("subscriber_id", flat=True)[:2]
    Exclusion.objects.create(send_id=first.pk, subscriber_id=gone, kind="excluded", reason="cancelled", attempt=1)
    Exclusion.objects.create(send_id=first.pk, subscriber_id=failed, kind="failed", reason="bad", attempt=2)
    second = make_send(approval=first.approval, lists=list(first.lists.all()))

    prepared = preparing.prepare(second.pk)

    assert prepared is not None
    assert (prepared.deliveries, prepared.excluded) == (2, {"already_received": 1})


@pytest.mark.parametrize(("status", "received"), [("unknown", 2), ("pending", 2), ("cancelled", 0), ("failed", 0)])
def test_unknown_counts_as_received_and_cancelled_does_not(status: str, received: int) -> None:
    first = make_prepared_send(2)
    Batch.objects.filter(send=first).update(status=status)
    second = make_send(approval=first.approval, lists=list(first.lists.all()))

    prepared = preparing.prepare(second.pk)

    assert prepared is not None
    assert prepared.excluded.get("already_received", 0) == received


def test_a_reopened_edition_pauses_its_send() -> None:
    send = make_send(1)
    send.approval.edition.approvals.void("reopened")

    assert preparing.prepare(send.pk) is None
    send.refresh_from_db()
    assert send.status == Send.Status.PAUSED
    assert "reopened" in send.pause_reason


def test_a_send_to_nobody_is_sent() -> None:
    send = make_prepared_send(0)

    send.refresh_from_db()
    assert send.status == Send.Status.SENT
    assert counts(send).adds_up


def test_batches_hold_at_most_a_thousand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freezing, "BATCH_SIZE", 4)
    send = make_prepared_send(10)

    assert sorted(Batch.objects.filter(send=send).values_list("size", flat=True)) == [2, 4, 4]
    by_batch = Counter(Delivery.objects.filter(send_id=send.pk).values_list("batch_id", flat=True))
    assert by_batch == dict(Batch.objects.filter(send=send).values_list("pk", "size"))


@pytest.mark.parametrize(("many", "known"), [(10, True), (11, False)])
def test_the_planner_knows_of_a_large_sends_deliveries_at_once(
    monkeypatch: pytest.MonkeyPatch, many: int, known: bool
) -> None:
    monkeypatch.setattr(preparing, "_MANY", many)
    send = make_prepared_send(10)

    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM tasks_delivery WHERE send_id = %s LIMIT 1", [send.pk])
        cursor.execute(
            "SELECT %s::text = ANY(most_common_vals::text::text[]) FROM pg_stats WHERE tablename = %s AND attname = 'send_id'",
            [str(send.pk), *cursor.fetchone()],
        )
        assert (cursor.fetchone() == (True,)) is known


@settings(max_examples=15)
@given(
    people=st.lists(
        st.tuples(
            st.sampled_from(["active", "pending", "unsubscribed"]),
            st.sampled_from(["", "hard_bounce", "complaint", "manual"]),
            st.booleans(),
        ),
        max_size=12,
    )
)
def test_every_candidate_ends_in_exactly_one_row(people: list[tuple[str, str, bool]]) -> None:
    publication = make_publication()
    readers = make_list(publication)
    for status, reason, vip in people:
        reader = make_subscriber(readers, status=status, tags=["vip"] if vip else [])
        if reason:
            make_suppression(reader, reason)
    approval = make_approval(
        make_edition(publication),
        audience_rules={"vip": VIP},
        variants=[{"audiences": [["vip"]]}, {"audiences": [[]], "stories": 0}],
    )
    send = make_prepared_send(0, approval=approval, lists=[readers])

    told = counts(send)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), count(DISTINCT subscriber_id) FROM ("
            " SELECT subscriber_id FROM tasks_delivery WHERE send_id = %s"
            " UNION ALL SELECT subscriber_id FROM tasks_exclusion WHERE send_id = %s) AS rows",
            [send.pk, send.pk],
        )
        assert cursor.fetchone() == (len(people), len(people))
    assert told.adds_up
    assert told.candidates == len(people)


def test_nothing_goes_out_while_it_can_be_taken_back(settings: Any, fake_queue: Any) -> None:
    settings.UNDO_SECONDS = 10
    before = timezone.now()
    send = make_prepared_send(3)

    assert send.undo_until is not None
    assert before + timedelta(seconds=10) <= send.undo_until <= timezone.now() + timedelta(seconds=10)
    assert Batch.objects.get(send=send).not_before == send.undo_until
    assert fake_queue.batches == []
    assert [round(seconds) for seconds in fake_queue.loops] == [10]


def test_once_that_time_is_over_they_are_enqueued(settings: Any, fake_queue: Any) -> None:
    settings.UNDO_SECONDS = 10
    send = make_prepared_send(3)
    assert wake_ups.wake_for_pending(send.pk) == 0
    Batch.objects.update(not_before=timezone.now())

    assert wake_ups.wake_for_pending(send.pk) == 1


def test_a_young_domain_is_given_small_batches() -> None:
    # The first ceiling holds before it, too: so midnight may pass meanwhile.
    WarmUp.objects.create(domain="example.com", starts_on=timezone.now().date() + timedelta(days=1), ceilings=[40])
    approval = make_approval()
    readers = make_list(approval.edition.publication)
    for _ in range(5):
        make_subscriber(readers)
    send = scheduling.schedule(approval.edition, lists=[readers])

    prepared = preparing.prepare(send.pk)

    assert prepared is not None
    size = warm_up.batch_size("example.com")
    assert size < 5
    assert prepared.batches == -(-5 // size)


def test_a_long_wait_is_left_to_recovery(settings: Any, fake_queue: Any) -> None:
    settings.UNDO_SECONDS = 600
    make_prepared_send(3)

    assert fake_queue.loops == []


def test_without_that_time_they_are_enqueued_at_once(fake_queue: Any) -> None:
    send = make_prepared_send(3)

    assert send.undo_until is None
    assert fake_queue.batches == [Batch.objects.get(send=send).pk]
