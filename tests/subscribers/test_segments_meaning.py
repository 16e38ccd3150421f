"""The meaning of rules, told twice: once in SQL by the code, once in Python by the oracle. They must agree on everything."""

import os
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from composer.models import Publication, Story
from subscribers.models import Consent, List, Subscriber, Subscription
from subscribers.segments import Scope, condition, parse
from subscribers.segments.folding import folded
from subscribers.segments.rule import ATTRIBUTE_PREFIX, FIELDS, All, AnyOf, Leaf, Not, Rule, ops_of
from subscribers.sql import join
from tasks.models import Batch, Delivery, Event, Exclusion, Send
from tests import factories
from tests.subscribers.segment_oracle import (
    ELSEWHERE,
    LIST_SLUGS,
    NOW,
    SEEN,
    SENDS,
    STORIES,
    URLS,
    VALUES,
    Oracle,
    Reader,
    RuleJson,
    readers,
    rules,
)


@dataclass
class World:
    """A publication with two lists, four sends of three editions, and three stories; and a send of another publication."""

    publication: Publication
    lists: list[List]
    #: For each send its batch that the provider has, and one that waits.
    batches: list[dict[bool, Batch]]
    stories: list[Story]

    def rule(self, rule: RuleJson) -> RuleJson:
        """The rule with the numbers of the stories that are meant."""
        for group in ("all", "any"):
            if group in rule:
                return {group: [self.rule(child) for child in rule[group]]}
        if "not" in rule:
            return {"not": self.rule(rule["not"])}
        if rule["field"] == "clicked_story":
            return {**rule, "value": [self.stories[number - 1].pk for number in rule["value"]]}
        return rule


@pytest.fixture
def world(publication: Publication, make_list: Any) -> World:
    approvals = {
        name: factories.make_approval(factories.make_edition(publication)) for name in ("first", "second", "third")
    }
    approvals["elsewhere"] = factories.make_approval()
    batches = []
    for days, edition in SENDS:
        send = factories.make_send(approval=approvals[edition])
        # A little less than whole days ago, as the oracle counts them.
        Send.objects.filter(pk=send.pk).update(prepared_at=NOW - timedelta(days=days))
        variant = send.approval.variants.get()
        statuses = {True: Batch.Status.SUBMITTED, False: Batch.Status.PENDING}
        batches.append(
            {
                there: Batch.objects.create(send=send, variant=variant, size=1, status=status)
                for there, status in statuses.items()
            }
        )
    factories.make_send(approval=approvals["first"])  # not sent yet: it is no edition received
    stories = [
        Story.objects.create(publication=publication, headline=f"Story {at}", source_url=URLS[url], topics=topics)
        for at, (url, topics) in enumerate(STORIES)
    ]
    return World(publication, [make_list(slug) for slug in LIST_SLUGS], batches, stories)


#: Rules tried; 2000 take most of a minute: `NEWSDESK_RULES=2000 pytest tests/subscribers/test_segments_meaning.py`.
RULES = int(os.environ.get("NEWSDESK_RULES", "400"))
AT_ONCE = 8


@pytest.mark.django_db
@settings(max_examples=RULES // AT_ONCE)
@given(
    population=st.lists(readers, min_size=1, max_size=4),
    tried=st.lists(rules, min_size=AT_ONCE, max_size=AT_ONCE),
    positions=st.sampled_from([(0,), (1,), (0, 1)]),
)
def test_sql_and_python_agree_and_not_is_the_exact_complement(
    world: World, population: list[Reader], tried: list[RuleJson], positions: tuple[int, ...]
) -> None:
    with transaction.atomic():
        people = store(population, world)
        ids = [world.lists[position].pk for position in positions]
        for rule, inside, outside in zip(
            tried, matching(tried, world, ids), matching([{"not": rule} for rule in tried], world, ids), strict=True
        ):
            expected = {number for number, reader in people.items() if Oracle(reader, positions).holds(rule)}
            assert inside == expected, rule
            assert outside == set(people) - expected, rule
        transaction.set_rollback(True)


def test_the_rules_tried_hold_every_field_and_operator() -> None:
    every = {field: set(ops_of(field)) for field in FIELDS if field != "segment"}
    every["attributes"] = set(ops_of(f"{ATTRIBUTE_PREFIX}a"))

    assert {field: set(ops) for field, ops in VALUES.items()} == every


@given(rules)
def test_folding_joins_comparisons_and_comes_to_an_end(rule: RuleJson) -> None:
    once = folded(parse(rule))

    assert folded(once) == once
    assert _leaves(once) <= _leaves(parse(rule))


def _leaves(rule: Rule) -> int:
    if isinstance(rule, Not):
        return _leaves(rule.rule)
    return sum(map(_leaves, rule.rules)) if isinstance(rule, All | AnyOf) else 1


def test_two_hundred_towns_are_one_comparison() -> None:
    towns = [{"field": "attributes.town", "op": "eq", "value": f"town {number}"} for number in range(200)]

    joined = folded(parse({"any": towns}))

    assert joined == Leaf(field="attributes.town", op="in", value=tuple(f"town {number}" for number in range(200)))


def store(population: list[Reader], world: World) -> dict[int, Reader]:
    people = {}
    for index, reader in enumerate(population):
        reader["email"] = f"R{index}@example.com"
        columns = ("email", "name", "language", "timezone", "tracking", "attributes", "tags")
        subscriber = Subscriber.objects.create(**{column: reader[column] for column in columns})
        Subscriber.objects.filter(pk=subscriber.pk).update(created_at=reader["created_at"])
        people[subscriber.pk] = reader
        for position, (moment, status) in reader["subscribed"].items():
            Subscription.objects.create(
                subscriber=subscriber, list=world.lists[position], status=status, subscribed_at=moment
            )
        for position, (source, given_) in reader["consents"].items():
            kind = "given" if given_ else "withdrawn"
            Consent.objects.create(subscriber=subscriber, list=world.lists[position], kind=kind, source=source)
        for at, mail in reader["mails"].items():
            store_mail(subscriber, world.batches[at][mail["submitted"]], mail)
    return people


def store_mail(subscriber: Subscriber, batch: Batch, mail: Reader) -> None:
    of = {"send_id": batch.send_id, "subscriber_id": subscriber.pk}
    Delivery.objects.create(**of, batch_id=batch.pk, seen=SEEN[mail["seen"]])
    if mail["failed"]:
        Exclusion.objects.create(**of, kind="failed", reason="refused")
    for number, (url, machine) in enumerate(mail["clicks"]):
        key = f"{batch.send_id}.{subscriber.pk}.{number}".encode()[:16]
        Event.objects.create(**of, key=key, kind="clicked", at=NOW, url=URLS[url], machine=machine)


def matching(tried: list[RuleJson], world: World, list_ids: list[int]) -> list[set[int]]:
    """For each rule the numbers of the readers it is true of."""
    scope = Scope(publication_id=world.publication.pk, list_ids=list_ids)
    columns = join(", ", (condition(parse(world.rule(rule)), scope) for rule in tried))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT s.id, {columns.sql} FROM subscribers_subscriber s", columns.params)
        rows = cursor.fetchall()
    assert all(isinstance(holds, bool) for row in rows for holds in row[1:]), "a condition is never unknown"
    return [{row[0] for row in rows if row[at]} for at in range(1, len(tried) + 1)]


def test_the_last_send_is_another_publications() -> None:
    assert SENDS[ELSEWHERE][1] == "elsewhere"
