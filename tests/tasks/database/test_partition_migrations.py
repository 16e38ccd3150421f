"""Tables that are in use become partitions, and one table each again, with every row."""

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection

from tests import factories

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]

BEFORE, AFTER = "0025_warm_up_by_editions", "0030_archived_sends"
DELIVERIES = "SELECT send_id, subscriber_id, batch_id, seen FROM tasks_delivery ORDER BY 1, 2"
EXCLUSIONS = (
    "SELECT send_id, subscriber_id, kind, reason, attempt, other_send_id, at FROM tasks_exclusion ORDER BY 1, 2"
)
INDEXES = "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s ORDER BY 1"
PARTS = """
SELECT relid::regclass::text, pg_get_expr(c.relpartbound, c.oid) FROM pg_partition_tree(%s) JOIN pg_class c ON c.oid = relid
 WHERE isleaf ORDER BY relid
"""


def rows(sql: str, *params: object) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params or None)
        return cursor.fetchall() if cursor.description else []


def migrate(name: str) -> None:
    call_command("migrate", "tasks", name, verbosity=0)


def write(sends: range, readers: int = 3) -> None:
    for send in sends:
        rows(
            "INSERT INTO tasks_delivery (send_id, subscriber_id, batch_id, seen)"
            f" SELECT {send}, reader, {send} * 10 + reader % 2, 3 FROM generate_series(1, {readers}) AS reader"
        )
        rows(
            "INSERT INTO tasks_exclusion (send_id, subscriber_id, kind, reason, attempt, other_send_id)"
            f" VALUES ({send}, 4, 'excluded', 'already_received', 0, {send} + 1), ({send}, 5, 'failed', '550 no', 1, NULL)"
        )


@pytest.fixture
def migrated_back(transactional_db: None) -> None:
    migrate(BEFORE)


@pytest.mark.usefixtures("migrated_back")
def test_rows_stay_where_they_lie_and_later_sends_go_elsewhere() -> None:
    write(range(1, 12))
    files = rows("SELECT pg_relation_filenode('tasks_delivery'), pg_relation_filenode('tasks_exclusion')")
    deliveries, exclusions = rows(DELIVERIES), rows(EXCLUSIONS)

    migrate(AFTER)

    assert rows(DELIVERIES) == deliveries
    assert rows(EXCLUSIONS) == exclusions
    # No row was written anew.
    assert (
        rows("SELECT pg_relation_filenode('tasks_delivery_first'), pg_relation_filenode('tasks_exclusion_first')")
        == files
    )
    # The next multiple of eight after the last send, and sixteen for those who are being made now.
    assert rows(PARTS, "tasks_delivery") == [("tasks_delivery_first", "FOR VALUES FROM (MINVALUE) TO ('32')")]
    assert rows(PARTS, "tasks_exclusion") == [("tasks_exclusion_first", "FOR VALUES FROM (MINVALUE) TO ('32')")]
    # The code is the newest.
    call_command("migrate", "tasks", verbosity=0)
    rows("SELECT setval('tasks_send_id_seq', 32)")
    assert factories.make_prepared_send(2).pk == 33
    assert rows("SELECT count(*) FROM tasks_delivery_32") == [(2,)]


@pytest.mark.usefixtures("migrated_back")
def test_a_new_installation_begins_with_one_range() -> None:
    migrate(AFTER)

    assert rows(PARTS, "tasks_delivery") == [("tasks_delivery_first", "FOR VALUES FROM (MINVALUE) TO ('8')")]


@pytest.mark.usefixtures("migrated_back")
def test_backwards_all_are_one_table_as_before() -> None:
    before = {table: rows(INDEXES, table) for table in ("tasks_delivery", "tasks_exclusion")}
    options = rows("SELECT reloptions FROM pg_class WHERE relname = 'tasks_delivery'")
    write(range(1, 3))
    migrate(AFTER)
    rows("SELECT tasks_partition_for(send) FROM generate_series(1, 50) AS send")
    write(range(3, 50, 7))
    deliveries, exclusions = rows(DELIVERIES), rows(EXCLUSIONS)

    migrate(BEFORE)

    assert rows(DELIVERIES) == deliveries
    assert rows(EXCLUSIONS) == exclusions
    assert {table: rows(INDEXES, table) for table in before} == before
    assert rows("SELECT reloptions FROM pg_class WHERE relname = 'tasks_delivery'") == options
    assert rows("SELECT relname FROM pg_class WHERE relname LIKE 'tasks_delivery%%' AND relkind IN ('r', 'p')") == [
        ("tasks_delivery",)
    ]
    # And forward once more, behind what is there by now.
    migrate(AFTER)
    assert rows(DELIVERIES) == deliveries
    assert rows(PARTS, "tasks_delivery") == [("tasks_delivery_first", "FOR VALUES FROM (MINVALUE) TO ('64')")]


@pytest.mark.usefixtures("migrated_back")
def test_who_writes_a_range_that_is_not_there_is_told() -> None:
    migrate(AFTER)

    with pytest.raises(Exception, match="no partition of relation") as refused:
        write(range(1000, 1001))
    assert isinstance(refused.value.__cause__, psycopg.errors.CheckViolation)
