"""What the planner believes of a send decides nothing: deliveries are looked up by key."""

from io import BytesIO

import orjson
import pytest
from django.db import connection

from tasks.feedback import applying, flags, inbox
from tasks.models import Send
from tests.reports import World, make_world

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

READERS = 2000
REPORTED = 50


def scalar(sql: str, *params: object) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return int(cursor.fetchone()[0])


def rows_read() -> int:
    """Of the deliveries' partitions, in this transaction."""
    return scalar(
        "SELECT sum(seq_tup_read + COALESCE(idx_tup_fetch, 0)) FROM pg_stat_xact_user_tables WHERE relname LIKE 'tasks_delivery%%'"
    )


def with_many_more(world: World) -> World:
    """Deliveries to readers whom nobody looks up."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO tasks_delivery (send_id, subscriber_id, batch_id) SELECT %s, 1000000000 + n, %s FROM generate_series(1, %s) n",
            [world.send.pk, world.batch.pk, READERS],
        )
    return world


@pytest.mark.parametrize("event", ["delivered", "click"])
def test_a_send_that_is_newer_than_the_statistics_is_not_read_through_for_each_reader(event: str) -> None:
    # Both in one range of eight.
    scalar("SELECT setval('tasks_send_id_seq', 80000, false)")
    with_many_more(make_world())
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE tasks_delivery_80000")
    world = with_many_more(make_world(REPORTED))
    assert list(Send.objects.order_by("pk").values_list("pk", flat=True)) == [80000, 80001]
    receipt_id = inbox.store(
        BytesIO(orjson.dumps([world.report(reader, event) for reader in range(REPORTED)])), provider="sendgrid"
    )
    before = rows_read()

    applying.apply_receipt(receipt_id)

    assert world.counts() == {{"delivered": "delivered", "click": "clicked"}[event]: REPORTED}
    assert rows_read() - before < 10 * REPORTED


@pytest.mark.parametrize(
    ("sends", "bounds"),
    [([80003], (80000, 80007)), ([80015, 80000], (80000, 80015)), ([80008], (80008, 80015)), ([], (0, 7))],
)
def test_no_partition_is_looked_into_but_those_of_the_sends(sends: list[int], bounds: tuple[int, int]) -> None:
    assert flags.bounds(sends) == bounds
