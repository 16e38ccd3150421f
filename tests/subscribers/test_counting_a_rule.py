"""A rule is counted in sets: no table is entered once for each reader, whatever the planner guesses of the rule."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from subscribers.models import List, Suppression
from subscribers.saved_segments import count_readers
from tasks.models import Batch
from tests.factories import make_approval, make_edition, make_list, make_publication, make_send

pytestmark = pytest.mark.django_db
READERS = 3000
LOAD = f"""
INSERT INTO subscribers_subscriber (email, name, language, timezone, attributes, tags)
SELECT 'r' || n || '@example.com', '', '', '', jsonb_build_object('age', n % 70, 'kind', 'a'), '{{}}' FROM generate_series(1, {READERS}) AS n;
INSERT INTO subscribers_subscription (subscriber_id, list_id, status) SELECT id, LIST, 'active' FROM subscribers_subscriber;
ANALYZE subscribers_subscriber;
ANALYZE subscribers_subscription
"""
OPENED = """
INSERT INTO tasks_delivery (send_id, subscriber_id, batch_id, seen)
SELECT %s, id, %s, CASE WHEN id %% 5 = 0 THEN 2 ELSE 34 END FROM subscribers_subscriber;
ANALYZE tasks_delivery
"""


@pytest.fixture
def readers() -> List:
    made = make_list(make_publication(), slug="everybody")
    with connection.cursor() as cursor:
        cursor.execute(LOAD.replace("LIST", str(made.pk)))
    return made


@pytest.mark.parametrize(
    ("rule", "counted"),
    [
        ({"field": "lists", "op": "has_any", "value": ["everybody"]}, READERS),
        ({"field": "lists", "op": "has_all", "value": ["everybody"]}, READERS),
        ({"field": "lists", "op": "exists"}, READERS),
        ({"field": "attributes.age", "op": "between", "value": [0, 69]}, READERS),
        (
            {
                "all": [
                    {"field": "attributes.age", "op": "exists"},
                    *({"field": "attributes.kind", "op": "eq", "value": "A"},) * 3,
                ]
            },
            READERS,
        ),
        ({"field": "opened", "op": "within_editions", "value": 4}, 0),
    ],
)
def test_no_table_is_entered_for_each_reader(readers: List, rule: dict[str, Any], counted: int) -> None:
    asked: list[tuple[str, Any]] = []

    def keep(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        asked.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(keep):
        assert count_readers(readers.publication_id, rule) == counted

    assert _entered_often(asked) == []


def test_who_never_opened_is_counted_once(readers: List) -> None:
    """Nearly everybody opened something: PostgreSQL then believes that nobody is left, and works out the suppressed for each who is."""
    asked: list[tuple[str, Any]] = []
    approval = make_approval(make_edition(readers.publication))
    for _ in range(3):
        send = make_send(approval=approval, status="sent", prepared_at=timezone.now())
        batch = Batch.objects.create(send=send, variant=approval.variants.first(), size=1000, status="submitted")
        with connection.cursor() as cursor:
            cursor.execute(OPENED, [send.pk, batch.pk])
    Suppression.objects.create(address="@elsewhere.example", reason="manual")

    def keep(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        asked.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(keep):
        assert count_readers(readers.publication_id, {"field": "opened", "op": "never"}) == READERS // 5

    assert _entered_often(asked) == []


def _entered_often(asked: list[tuple[str, Any]]) -> list[str]:
    """Parts of the plan that are gone through for every tenth reader or more, but for the rule's own questions."""
    ((sql, params),) = (one for one in asked if "candidate" in one[0])
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", params)
        (plan,) = cursor.fetchone()
    top = (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]
    return [node["Node Type"] for node in _nodes(top) if node["Actual Loops"] > READERS // 10]


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        if child["Parent Relationship"] != "SubPlan":
            yield from _nodes(child)
