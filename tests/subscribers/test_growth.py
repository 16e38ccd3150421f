"""How lists stood at the end of each day is stored, once."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from composer.models import Publication
from subscribers.growth import last_days, store_yesterday
from subscribers.models import Consent, ListGrowth, Subscriber, Subscription
from tasks import celery_tasks
from tasks.database import clock
from tests.subscribers.commands import refusal, run, run_json

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


@pytest.fixture
def today(db: None) -> date:
    """By the database's clock, as `store_yesterday` has it."""
    return clock.now().astimezone(UTC).date()


def said(reader: Subscriber, where: Any, kind: str, at: datetime) -> None:
    Consent.objects.create(subscriber=reader, list=where, kind=kind, source="form", at=at)


def figures(row: ListGrowth) -> tuple[int, ...]:
    return row.active, row.pending, row.unsubscribed, row.gained, row.lost


def test_yesterday_is_stored_for_each_list(make_list: Any, make_subscriber: Any, today: date) -> None:
    readers, vip = make_list(), make_list("vip")
    empty = make_list("empty")
    ada = make_subscriber("ada@example.com", lists={readers: "active", vip: "unsubscribed"})
    bob = make_subscriber("bob@example.com", lists={readers: "active"})
    make_subscriber("eve@example.com", lists={readers: "pending"})
    midnight = datetime.combine(today, time(), UTC)
    first, last = midnight - timedelta(days=1), midnight - timedelta(microseconds=1)
    said(ada, readers, "given", first)
    said(ada, readers, "given", last)
    said(bob, readers, "given", last)
    said(bob, readers, "given", midnight)
    said(bob, readers, "given", first - timedelta(microseconds=1))
    said(ada, vip, "withdrawn", last)

    assert store_yesterday() == 3

    rows = {row.list_id: row for row in ListGrowth.objects.all()}
    assert {row.day for row in rows.values()} == {today - timedelta(days=1)}
    assert figures(rows[readers.pk]) == (2, 1, 0, 2, 0)
    assert figures(rows[vip.pk]) == (0, 0, 1, 0, 1)
    assert figures(rows[empty.pk]) == (0, 0, 0, 0, 0)


def test_the_second_time_changes_nothing(make_list: Any, make_subscriber: Any, today: date) -> None:
    readers = make_list()
    ada = make_subscriber(lists={readers: "active"})
    store_yesterday()
    before = list(ListGrowth.objects.values())
    Subscription.objects.filter(subscriber=ada).update(status="unsubscribed")
    # A list that is made today was not there yesterday.
    make_list("new")

    assert store_yesterday() == 0
    assert list(ListGrowth.objects.values()) == before


def test_beat_stores_it_however_often_it_comes(make_list: Any, today: date) -> None:
    make_list()

    celery_tasks.store_list_growth()
    celery_tasks.store_list_growth()

    assert [row.day for row in ListGrowth.objects.all()] == [today - timedelta(days=1)]


def test_whoever_was_erased_still_came(make_list: Any, make_subscriber: Any, today: date) -> None:
    readers = make_list()
    at = datetime.combine(today, time(), UTC) - timedelta(hours=1)
    for email in ("ada@example.com", "bob@example.com"):
        reader = make_subscriber(email, lists={readers: "active"})
        said(reader, readers, "given", at)
        reader.delete()

    store_yesterday()

    assert figures(ListGrowth.objects.get()) == (0, 0, 0, 2, 0)


def test_the_command_shows_days_of_one_publication(
    make_list: Any, publication: Publication, other_publication: Publication, today: date
) -> None:
    readers, strange = make_list(), make_list(publication=other_publication)
    for days, where in ((1, readers), (2, readers), (40, readers), (1, strange)):
        ListGrowth.objects.create(
            list=where,
            day=today - timedelta(days=days),
            active=1000 + days,
            pending=2,
            unsubscribed=3,
            gained=4,
            lost=5,
        )

    shown = run_json("growth", "--publication", publication.slug)

    row = {"list": "readers", "pending": 2, "unsubscribed": 3, "gained": 4, "lost": 5}
    assert shown == {
        "publication": publication.slug,
        "days": [{"day": (today - timedelta(days=days)).isoformat(), **row, "active": 1000 + days} for days in (2, 1)],
    }
    assert len(run_json("growth", "--publication", publication.slug, "--days", "40")["days"]) == 3
    assert [row.active for row in last_days(1)] == [1001, 1001]
    text = run("growth", "--publication", publication.slug).splitlines()
    assert text[0].split() == ["day", "(UTC)", "list", "active", "pending", "unsubscribed", "gained", "lost"]
    assert text[-1].split() == [(today - timedelta(days=1)).isoformat(), "readers", "1,001", "2", "3", "4", "5"]


def test_before_the_first_night_it_says_so(publication: Publication) -> None:
    assert "nothing is stored yet" in run("growth", "--publication", publication.slug)
    assert run_json("growth", "--publication", publication.slug)["days"] == []


@pytest.mark.parametrize("days", ["0", "-1", "100000"])
def test_days_out_of_range_are_named(publication: Publication, days: str) -> None:
    assert "--days" in refusal("growth", "--publication", publication.slug, "--days", days)
