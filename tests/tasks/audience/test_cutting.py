"""Cutting a send into batches: the arithmetic by itself, and what is written for readers of many kinds."""

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from subscribers.models import Subscriber
from tasks.audience import cutting, freezing
from tasks.audience.cutting import Kind, cut, parts
from tasks.models import Alarm, Batch, Delivery, Exclusion, Send
from tasks.preparation import preparing
from tasks.throttling import warm_up
from tests.factories import (
    make_approval,
    make_edition,
    make_list,
    make_publication,
    make_send,
    make_subscriber,
    make_suppression,
)

DUE = {
    zone: datetime(2026, 11, 30, hour, tzinfo=UTC)
    for zone, hour in (("Europe/Berlin", 8), ("Europe/Rome", 8), ("Asia/Tokyo", 1), ("", 7))
}
KINDS = st.lists(
    st.builds(
        Kind,
        variant_id=st.integers(1, 3),
        timezone=st.sampled_from(sorted(DUE)),
        tracked=st.booleans(),
        members=st.integers(1, 25),
    ),
    unique_by=lambda kind: (kind.variant_id, kind.timezone, kind.tracked),
)


@given(kinds=KINDS, size=st.integers(1, 9), canary=st.integers(0, 9))
def test_every_number_of_a_part_falls_into_one_of_its_batches(kinds: list[Kind], size: int, canary: int) -> None:
    canary = min(canary, size)

    divided = parts(kinds, DUE, size=size, canary=canary)

    assert sorted((part.at, part.variant_id, part.tracked) for part in divided) == [
        (part.at, part.variant_id, part.tracked) for part in divided
    ]
    slots: list[int] = []
    for part in divided:
        members = sum(kind.members for kind in part.kinds)
        by_slot = Counter((part.first_number + n) // size for n in range(members))
        assert by_slot == {part.first_slot + n: batch for n, batch in enumerate(part.batches)}
        slots += sorted(by_slot)
    assert slots == list(range(1, len(slots) + 1))
    assert sum(len(part.kinds) for part in divided) == len(kinds)
    for at, part in enumerate(divided):
        has_canary = at == 0 and canary > 0
        assert not has_canary or part.batches[0] == min(canary, sum(kind.members for kind in part.kinds))
        assert set(part.batches[has_canary:-1]) <= {size}


@pytest.mark.django_db
@pytest.mark.parametrize("canary", [0, 2])
def test_readers_of_many_kinds_each_come_into_a_batch_of_theirs(
    canary: int, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the order of their ids through the batches of their part, the first of the part that is due first in the canary."""
    monkeypatch.setattr(freezing, "BATCH_SIZE", 3)
    settings.CANARY = canary
    vip = {"field": "tags", "op": "has_any", "value": ["vip"]}
    everybody = make_list(make_publication(timezone="UTC"))
    approval = make_approval(
        make_edition(everybody.publication),
        audience_rules={"vip": vip},
        variants=[{"audiences": [["vip"]]}, {"audiences": [[]]}],
        request={"tracking": True, "track_unknown": False},
    )
    zones = ("Africa/Lagos", "Africa/Luanda", "Asia/Tokyo", "")
    for zone, tags, tracking in list(product(zones, (["vip"], []), ("granted", "unknown"))) * 4:
        make_subscriber(everybody, timezone=zone, tags=tags, tracking=tracking)
    local = timezone.now().replace(tzinfo=None, microsecond=0) + timedelta(days=2)
    send = make_send(approval=approval, lists=[everybody], local_at=local.isoformat())

    assert preparing.prepare(send.pk)

    readers = {reader.pk: reader for reader in Subscriber.objects.all()}
    members: defaultdict[int, list[int]] = defaultdict(list)
    for subscriber, batch in Delivery.objects.order_by("subscriber_id").values_list("subscriber_id", "batch_id"):
        members[batch].append(subscriber)
    batches = list(Batch.objects.order_by("pk").values_list("pk", "size", "not_before", "variant__position", "tracked"))
    assert {pk: len(ids) for pk, ids in members.items()} == {pk: size for pk, size, *_ in batches}
    by_part: defaultdict[tuple[Any, ...], list[int]] = defaultdict(list)
    for pk, _, *part in batches:
        for reader in (readers[number] for number in members[pk]):
            offset = {"Asia/Tokyo": 9, "": 0, "Africa/Luanda": 1, "Africa/Lagos": 1}[reader.timezone]
            is_vip = reader.tags == ["vip"]
            due = (local - timedelta(hours=offset)).replace(tzinfo=UTC)
            assert part == [due, 0 if is_vip else 1, reader.tracking == "granted"]
        by_part[tuple(part)] += members[pk]
    assert len(by_part) == 12
    assert all(ids == sorted(ids) for ids in by_part.values())
    assert list(by_part) == sorted(by_part)
    first = batches[0]
    assert Send.objects.get(pk=send.pk).canary_batch == (first[0] if canary else None)
    assert first[1] == (canary or 3)


@pytest.mark.django_db
def test_nothing_of_the_cutting_is_left_in_the_session() -> None:
    """A connection prepares many sends; its counters must not be there for the next one."""
    warm_up.change("new.example.com", starts_on=timezone.now().date(), ceilings=(), editions=(2,))
    for _ in range(2):
        assert preparing.prepare(make_send(3, sender_domain="new.example.com").pk)
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relnamespace = pg_my_temp_schema()")
        assert cursor.fetchall() == []


def assert_paused_without_a_row(send: Send) -> None:
    assert preparing.prepare(send.pk) is None
    send.refresh_from_db()
    assert send.status == "paused"
    assert "could not be prepared" in Alarm.objects.get().message
    assert not Delivery.objects.exists()
    assert not Exclusion.objects.exists()
    assert not Batch.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("wrong", [{"deliveries": 4}, {"deliveries": 2}, {"in_batches": 4}, {"largest": 1001}])
def test_batches_that_do_not_add_up_pause_their_send(wrong: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freezing, "cut", lambda *args, **options: replace(cut(*args, **options), **wrong))

    assert_paused_without_a_row(make_send(3))


@pytest.mark.django_db
@pytest.mark.parametrize("where", ["a.reason <> 'complaint'", "true"])
def test_exclusions_that_do_not_add_up_pause_their_send(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One is missing, or one is too many."""
    statement = freezing._EXCLUSIONS.replace("a.reason IS NOT NULL", where)
    monkeypatch.setattr(freezing, "_EXCLUSIONS", statement.replace("a.reason, 0", "COALESCE(a.reason, 'invalid'), 0"))
    send = make_send(3)
    make_suppression(make_subscriber(send.lists.get()), "complaint")

    assert_paused_without_a_row(send)


@pytest.mark.django_db
def test_a_reader_too_many_in_one_part_does_not_become_one_of_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sum is right all the same, and the next part's bytes may be another variant's."""
    monkeypatch.setattr(freezing, "BATCH_SIZE", 2)
    wrong = "members + CASE timezone WHEN 'Asia/Tokyo' THEN -1 ELSE 1 END FROM"
    monkeypatch.setattr(cutting, "_COUNTED", cutting._COUNTED.replace("members FROM", wrong))
    local = timezone.now().replace(tzinfo=None, microsecond=0) + timedelta(days=2)
    send = make_send(local_at=local.isoformat())
    for zone in ["Asia/Tokyo", "Africa/Lagos"] * 3:
        make_subscriber(send.lists.get(), timezone=zone)

    assert preparing.prepare_due() == 0

    send.refresh_from_db()
    assert send.status == "paused"
    assert "maximum value" in Alarm.objects.get().message
    assert not Delivery.objects.exists()
