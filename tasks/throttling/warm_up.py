"""Warming up a sender domain: a ceiling for each of its first days, or editions (mailbox providers distrust sudden volume).

What a domain has used of a day is not a counter that could drift: it is the sum of the requests of that day that were
not refused, and of the batches being built. Days are UTC. Tests, alarms and probes are not counted and never wait.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime

from django.db import connection

from tasks.models import Send, WarmUp
from tasks.models.batch import BATCH_SIZE, live_sql

#: Recipients on the first day, the second, …: a usual growth for a new sender. Ours; SendGrid's own schedule ("Warming up
#: an IP address" in its documentation) may differ.
SUGGESTED = (50, 100, 500, 1000, 5000, 10_000, 20_000, 40_000, 70_000, 100_000, 150_000, 250_000, 400_000, 600_000)
#: A day's ceiling is cut into about so many batches: the last one that does not fit wastes little of it.
_PARTS = 10

#: A condition on ``s`` (tasks_send): its sender's domain may go on today.
MAY_GO_ON_SQL = """\
NOT EXISTS (SELECT 1 FROM tasks_warmup y
             WHERE y.domain = s.sender_domain AND y.throttled_until > statement_timestamp())"""
_USED = f"""
SELECT COALESCE((SELECT sum(a.size) FROM tasks_attempt a
                   JOIN tasks_batch b ON b.id = a.batch_id JOIN tasks_send s ON s.id = b.send_id
                  WHERE a.fenced_at >= %(day)s AND a.outcome <> 'refused' AND s.sender_domain = %(domain)s), 0)
     + COALESCE((SELECT sum({live_sql("b")}) FROM tasks_batch b JOIN tasks_send s ON s.id = b.send_id
                  WHERE b.status = 'building' AND s.sender_domain = %(domain)s AND b.id <> %(batch)s), 0)
"""  # noqa: S608 - made of constants
#: A send that was cancelled before anything of it went out was none.
_EDITIONS = """
SELECT count(DISTINCT s.edition_id) FROM tasks_send s JOIN tasks_warmup y ON y.domain = s.sender_domain
 WHERE s.sender_domain = %(domain)s AND s.prepared_at >= y.starts_on::timestamp AT TIME ZONE 'UTC'
   AND s.edition_id IS DISTINCT FROM %(edition)s
   AND (s.status <> 'cancelled' OR EXISTS (
        SELECT 1 FROM tasks_batch b WHERE b.send_id = s.id AND b.status IN ('submitting', 'submitted', 'unknown')))
"""


def ceiling_on(day: date, *, starts_on: date, ceilings: Sequence[int]) -> int | None:
    """The most recipients on this day; None = no ceiling (any more). Before the first day the first day's counts."""
    position = max((day - starts_on).days, 0)
    return ceilings[position] if position < len(ceilings) else None


def batch_size(domain: str) -> int:
    """Deliveries in a batch of a send from this domain prepared now: fewer while a day's ceiling is small."""
    ceiling = _today(domain)
    if ceiling is None:
        return BATCH_SIZE
    return max(1, min(BATCH_SIZE, ceiling // _PARTS))


def allows(domain: str, recipients: int, *, batch_id: int) -> bool:
    """Whether the domain may send so many more today. Inside the claim's transaction: claims of a domain come one by one.

    A batch that is larger than the whole ceiling goes on a day on which nothing else did.
    """
    warm_up = WarmUp.objects.select_for_update().filter(pk=domain).first()
    if warm_up is None:
        return True
    day = _database_day()
    ceiling = ceiling_on(day, starts_on=warm_up.starts_on, ceilings=warm_up.ceilings)
    if ceiling is None:
        return True
    used = used_on(domain, day, without_batch=batch_id)
    return used == 0 or used + recipients <= ceiling


def used_on(domain: str, day: date, *, without_batch: int = 0) -> int:
    """Recipients of this domain since that day began (UTC) who were, or may have been, sent to, or are about to be."""
    began = datetime(day.year, day.month, day.day, tzinfo=UTC)
    with connection.cursor() as cursor:
        cursor.execute(_USED, {"day": began, "domain": domain, "batch": without_batch})
        (used,) = cursor.fetchone()
    return int(used)


def wait_until_tomorrow(send_id: int) -> None:
    """Let no send of this one's domain claim anything before the next day (UTC)."""
    domain = Send.objects.values_list("sender_domain", flat=True).get(pk=send_id)
    warm_up = WarmUp.objects.filter(pk=domain).first()
    if warm_up is None:
        return
    ceiling = ceiling_on(_database_day(), starts_on=warm_up.starts_on, ceilings=warm_up.ceilings)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE tasks_warmup SET throttle_reason = %s,"
            " throttled_until = date_trunc('day', statement_timestamp(), 'UTC') + interval '1 day' WHERE domain = %s",
            [f"Warming up {domain}: today's ceiling of {ceiling:,} is reached; it goes on at 00:00 UTC."[:300], domain],
        )


def change(domain: str, *, starts_on: date | None, ceilings: Sequence[int], editions: Sequence[int] = ()) -> None:
    """Set the domain's ceilings, or end its warm-up when there are none; what waited for it may go on at once."""
    if (ceilings or editions) and starts_on is not None:
        numbers = {"ceilings": list(ceilings), "editions": list(editions)}
        fields = {"starts_on": starts_on, **numbers, "throttled_until": None, "throttle_reason": ""}
        WarmUp.objects.update_or_create(domain=domain, defaults=fields)
    else:
        WarmUp.objects.filter(pk=domain).delete()


def plan_of(domain: str) -> WarmUp | None:
    """The domain's warm-up; None when it has none."""
    return WarmUp.objects.filter(pk=domain).first()


def is_limited_today(domain: str) -> bool:
    """Whether the domain has a ceiling today."""
    return _today(domain) is not None


def editions_before(domain: str, edition_id: int | None) -> int:
    """Editions that have gone out from this domain since its warm-up began, to anybody; without this one."""
    with connection.cursor() as cursor:
        cursor.execute(_EDITIONS, {"domain": domain, "edition": edition_id})
        (number,) = cursor.fetchone()
    return int(number)


def most_of_edition(domain: str, edition_id: int | None) -> int | None:
    """The most readers of this edition, or the next one; None = as many as there are."""
    plan = plan_of(domain)
    if plan is None:
        return None
    place = editions_before(domain, edition_id)
    return int(plan.editions[place]) if place < len(plan.editions) else None


def _today(domain: str) -> int | None:
    warm_up = WarmUp.objects.filter(pk=domain).first()
    if warm_up is None:
        return None
    return ceiling_on(_database_day(), starts_on=warm_up.starts_on, ceilings=warm_up.ceilings)


def _database_day() -> date:
    with connection.cursor() as cursor:
        cursor.execute("SELECT (statement_timestamp() AT TIME ZONE 'UTC')::date")
        (day,) = cursor.fetchone()
    assert isinstance(day, date)
    return day
