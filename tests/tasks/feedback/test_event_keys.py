"""A key begins with the time of its event; what happened before keys did so is still recognised."""

import time
from hashlib import blake2b
from importlib import import_module
from typing import Any

import pytest
from django.db import connection

from subscribers.models import Suppression
from tasks.models import Event, Installation
from tests.reports import deliver, make_world

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

MIGRATION = import_module("tasks.migrations.0032_timed_event_keys")


def keys() -> list[bytes]:
    return [bytes(key) for key in Event.objects.order_by("at").values_list("key", flat=True)]


def own_key(report: dict[str, Any]) -> bytes:
    """As a version before stored it."""
    named = f"{report['nd_delivery']}\0{report['event']}\0{report['timestamp']}\0"
    return blake2b(named.encode(), digest_size=16).digest()


def test_keys_are_in_the_order_of_time() -> None:
    world = make_world(5)

    deliver(*(world.report(reader, "delivered") for reader in reversed(range(5))))

    assert keys() == sorted(keys())
    at = Event.objects.earliest("at").at.timestamp()
    assert int.from_bytes(keys()[0][:4]) == at


@pytest.mark.parametrize("timestamp", ["soon", 2**32, 253_402_300_799])
def test_what_has_no_time_that_fits_has_a_key_all_the_same(timestamp: object) -> None:
    world = make_world(1)
    report = world.report(0, "delivered", timestamp=timestamp)

    deliver(report)

    assert deliver(report).new == 0
    assert Event.objects.count() == 1


def test_what_a_version_before_stored_is_not_new() -> None:
    world = make_world(2)
    old, later = world.report(0, "bounce", type="bounce"), world.report(1, "bounce", type="bounce")
    Event.objects.create(
        key=own_key(old),
        send_id=world.send.pk,
        subscriber_id=world.readers[0].pk,
        kind="hard_bounce",
        at="2026-01-01T00:00Z",
    )
    Installation.objects.update(timed_events_since=later["timestamp"])

    assert deliver(old, later).new == 1

    assert Suppression.objects.get().address == world.readers[1].email
    assert own_key(old) in keys()
    assert own_key(later) not in keys()
    assert deliver(later, old).new == 0


def test_an_installation_with_events_begins_a_day_later() -> None:
    Installation.objects.update(timed_events_since=0)
    with connection.cursor() as cursor:
        cursor.execute(MIGRATION.BEGIN)
        assert Installation.objects.get().timed_events_since == 0
        world = make_world(1)
        deliver(world.report(0, "delivered"))
        cursor.execute(MIGRATION.BEGIN)
    assert abs(Installation.objects.get().timed_events_since - time.time() - 86_400) < 3600
