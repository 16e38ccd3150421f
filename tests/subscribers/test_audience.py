import itertools
from collections.abc import Sequence
from typing import Any

import pytest
from django.db import connection

from composer.models import Publication
from subscribers.audience import REASONS, audience
from subscribers.models import List, Subscriber
from subscribers.segments import parse
from subscribers.sql import SqlCondition
from subscribers.suppression import suppress

pytestmark = pytest.mark.django_db

EVERYBODY = SqlCondition("s.id > %s", (0,))
#: A set, and the lookups of a batch: they must always agree.
shapes = pytest.mark.parametrize("restrict", [None, EVERYBODY], ids=["set", "batch"])


def reasons(lists: Sequence[List], publication: Publication, **options: Any) -> dict[str, str | None]:
    chosen = audience([where.pk for where in lists], publication_id=publication.pk, **options)
    with connection.cursor() as cursor:
        cursor.execute(chosen.sql, chosen.params)
        rows = cursor.fetchall()
    emails = dict(Subscriber.objects.values_list("pk", "email"))
    assert len({subscriber_id for subscriber_id, _ in rows}) == len(rows)
    return {emails[subscriber_id]: reason for subscriber_id, reason in rows}


@shapes
def test_candidates_have_any_subscription_on_the_lists(
    publication: Publication, make_list: Any, make_subscriber: Any, restrict: SqlCondition | None
) -> None:
    one, two, three = (make_list(slug) for slug in ("one", "two", "three"))
    make_subscriber("active@example.com", lists={one: "active"})
    make_subscriber("gone@example.com", lists={one: "unsubscribed"})
    make_subscriber("waiting@example.com", lists={one: "pending"})
    make_subscriber("both@example.com", lists={one: "unsubscribed", two: "active"})
    make_subscriber("neither@example.com", lists={one: "pending", two: "unsubscribed"})
    make_subscriber("elsewhere@example.com", lists={three: "active"})
    make_subscriber("nowhere@example.com")

    assert reasons([one, two], publication, restrict=restrict) == {
        "active@example.com": None,
        "gone@example.com": "unsubscribed",
        "waiting@example.com": "unconfirmed",
        "both@example.com": None,
        "neither@example.com": "unsubscribed",
    }
    assert reasons([one], publication, restrict=restrict)["both@example.com"] == "unsubscribed"
    assert reasons([], publication, restrict=restrict) == {}


@shapes
def test_the_first_reason_in_the_order_of_precedence_wins(
    publication: Publication, make_list: Any, make_subscriber: Any, restrict: SqlCondition | None
) -> None:
    readers = make_list()
    expected: dict[str, str | None] = {}
    for size in range(3):
        for chosen in itertools.combinations([reason for reason in REASONS if reason != "unconfirmed"], size):
            email = f"{'-'.join(chosen) or 'none'}@Example.com"
            make_subscriber(email, lists={readers: "active"})
            for reason in reversed(chosen):
                suppress(email.upper(), reason, publication_id=publication.pk)
            expected[email] = chosen[0] if chosen else None
    make_subscriber("last@example.com", lists={readers: "pending"})
    suppress("last@example.com", "manual")
    expected["last@example.com"] = "manual"

    for status, reason in (("unsubscribed", "unsubscribed"), ("pending", "unconfirmed")):
        make_subscriber(f"only-{status}@example.com", lists={readers: status})
        suppress(f"only-{status}@example.com", "soft_bounce")
        expected[f"only-{status}@example.com"] = reason

    assert reasons([readers], publication, restrict=restrict) == expected


@shapes
def test_a_domain_is_suppressed_with_all_its_addresses(
    publication: Publication,
    other_publication: Publication,
    make_list: Any,
    make_subscriber: Any,
    restrict: SqlCondition | None,
) -> None:
    readers = make_list()
    for email in ("a@Spam.example", "b@sub.spam.example", "c@other.example"):
        make_subscriber(email, lists={readers: "active"})
    suppress("@spam.example", "manual")
    suppress("@other.example", "manual", publication_id=other_publication.pk)

    assert reasons([readers], publication, restrict=restrict) == {
        "a@Spam.example": "manual",
        "b@sub.spam.example": None,
        "c@other.example": None,
    }


@shapes
def test_a_suppression_for_another_publication_does_not_count(
    publication: Publication,
    other_publication: Publication,
    make_list: Any,
    make_subscriber: Any,
    restrict: SqlCondition | None,
) -> None:
    readers = make_list()
    make_subscriber(lists={readers: "active"})
    suppress("ada@example.com", "unsubscribed", publication_id=other_publication.pk)
    suppress("ada@example.com", "manual", publication_id=other_publication.pk)

    assert reasons([readers], publication, restrict=restrict) == {"ada@example.com": None}
    assert reasons([readers], other_publication, restrict=restrict) == {"ada@example.com": "manual"}


@shapes
def test_a_rule_decides_who_is_a_candidate(
    publication: Publication, make_list: Any, make_subscriber: Any, restrict: SqlCondition | None
) -> None:
    readers = make_list()
    make_subscriber("ada@example.com", lists={readers: "active"}, attributes={"country": "SG"})
    make_subscriber("bob@example.com", lists={readers: "unsubscribed"}, attributes={"country": "SG"})
    make_subscriber("eve@example.com", lists={readers: "active"}, attributes={"country": "MY"})
    rule = {"field": "attributes.country", "op": "eq", "value": "SG"}
    expected = {"ada@example.com": None, "bob@example.com": "unsubscribed"}

    assert reasons([readers], publication, rule=rule, restrict=restrict) == expected
    assert reasons([readers], publication, rule=parse(rule), restrict=restrict) == expected


def test_a_restriction_leaves_the_rest_out(publication: Publication, make_list: Any, make_subscriber: Any) -> None:
    readers = make_list()
    ada, _ = (make_subscriber(f"{name}@example.com", lists={readers: "active"}) for name in ("ada", "bob"))
    only = SqlCondition("s.id = ANY(%s) OR s.id = ANY(%s)", ([ada.pk], [0]))

    assert reasons([readers], publication, restrict=only) == {"ada@example.com": None}
    assert reasons([readers], publication, restrict=only, rule={"all": []}) == {"ada@example.com": None}


def test_a_batch_is_looked_up_and_never_scanned(publication: Publication, make_list: Any) -> None:
    readers = make_list()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO subscribers_subscriber (email, name, language, timezone, attributes, tags) "
            "SELECT 'r' || n || '@example.com', '', '', '', '{}', '{}' FROM generate_series(1, 5000) n"
        )
        cursor.execute(
            "INSERT INTO subscribers_subscription (subscriber_id, list_id, status) "
            "SELECT id, %s, 'active' FROM subscribers_subscriber",
            [readers.pk],
        )
        cursor.execute(
            "INSERT INTO subscribers_suppression (address, reason, detail) "
            "SELECT email, 'hard_bounce', '' FROM subscribers_subscriber"
        )
        for table in ("subscriber", "subscription", "suppression"):
            cursor.execute(f"ANALYZE subscribers_{table}")
        batch = SqlCondition("s.id = ANY(%s)", (list(range(1, 51)),))
        chosen = audience([readers.pk], publication_id=publication.pk, restrict=batch)
        cursor.execute(f"EXPLAIN {chosen.sql}", chosen.params)
        plan = "\n".join(line for (line,) in cursor.fetchall())

    # The question whether any address was erased is asked once, and may read its table; readers are looked up.
    for scan in ("subscribers_subscriber s", "subscribers_subscription n", "subscribers_suppression x"):
        assert f"Seq Scan on {scan}" not in plan, plan
