"""Handing a provider less for a mailbox provider that defers it, as events tell: SendGrid takes everything, and tries for three days.

Mail of which a large share is deferred is more than that domain takes now. What is handed over besides waits in the provider's
queue and is tried against the same limit; so the domain's readers go in batches of their own, one after another with a pause
between them, until fewer are deferred. Nobody else waits.
"""

import time
from collections.abc import Iterable
from typing import NamedTuple

from django.conf import settings
from django.db import connection

from tasks.database.statements import run
from tasks.providers.events import EventKind, ReportedEvent
from tasks.throttling.mailbox_domains import DEFERRALS_COUNT_SECONDS, domain_of, without_addresses

#: Readers of a domain of whom anything is known, deferred or delivered, before a share means something.
LEAST = 20
#: Seconds between two batches of a domain at first, and at most: doubled each time that a window ends no better.
PAUSE = 30.0
LONGEST_PAUSE = 120.0

_DEFERRED = EventKind.DEFERRED.value
_TELLING = frozenset({_DEFERRED, EventKind.DELIVERED.value})
_COUNT = """
INSERT INTO tasks_mailboxdomain AS m (name, put_off_in_a_row, deferred, delivered, counted_since, deferred_at)
SELECT name, 0, deferred, delivered, statement_timestamp(), CASE WHEN deferred > 0 THEN statement_timestamp() END
  FROM unnest(%b::text[], %b::int[], %b::int[]) AS told(name, deferred, delivered) ORDER BY name
ON CONFLICT (name) DO UPDATE SET
    deferred = EXCLUDED.deferred + CASE WHEN m.counted_since > EXCLUDED.counted_since - make_interval(secs => %b) THEN m.deferred ELSE 0 END,
    delivered = EXCLUDED.delivered + CASE WHEN m.counted_since > EXCLUDED.counted_since - make_interval(secs => %b) THEN m.delivered ELSE 0 END,
    counted_since = CASE WHEN m.counted_since > EXCLUDED.counted_since - make_interval(secs => %b) THEN m.counted_since
                         ELSE EXCLUDED.counted_since END,
    deferred_at = COALESCE(EXCLUDED.deferred_at, m.deferred_at)
RETURNING name, deferred, delivered, throttled_until IS NOT NULL
"""
#: Nothing is decided twice of the same reports: counting begins anew. Not while the last decision's pause is running.
_SLOW_DOWN = """
UPDATE tasks_mailboxdomain SET
    put_off_in_a_row = LEAST(put_off_in_a_row + 1, 1000), deferred = 0, delivered = 0, counted_since = statement_timestamp(),
    throttled_until = statement_timestamp() + make_interval(secs => LEAST(%(pause)s * 2 ^ LEAST(put_off_in_a_row, 10), %(longest)s)),
    throttled_at = statement_timestamp(), throttle_reason = %(why)s
 WHERE name = %(name)s AND deferred >= %(deferred)s AND COALESCE(throttled_until, '-infinity') <= statement_timestamp()
"""
_PAUSE = """
UPDATE tasks_mailboxdomain SET
    throttled_until = statement_timestamp() + make_interval(secs => LEAST(%(pause)s * 2 ^ LEAST(put_off_in_a_row - 1, 10), %(longest)s)),
    throttled_at = statement_timestamp()
 WHERE name = %(name)s AND deferred_at IS NOT NULL AND throttled_until IS NOT NULL
"""


class _Told(NamedTuple):
    deferred: int
    delivered: int
    words: str


def learn(events: Iterable[ReportedEvent]) -> None:
    """Count what new events say of mailbox domains that defer mail, and slow down or let go. Raises the database's errors.

    A domain of which nothing is deferred costs nothing; one that is slowed down is counted whatever is said of it.
    """
    if not settings.MOST_DEFERRED:
        return
    events = list(events)
    since = int(time.time() - DEFERRALS_COUNT_SECONDS)
    deferred = [event for event in events if event.kind == _DEFERRED and _is_recent(event, since)]
    domains = {name for (name,) in run("SELECT name FROM tasks_mailboxdomain", ())} if events else set()
    domains |= {domain_of(event.address) for event in deferred}
    if not domains:
        return
    recent = [event for event in events if event.kind in _TELLING and _is_recent(event, since)]
    if told := _told(recent, domains):
        _decide(told)


def _is_recent(event: ReportedEvent, since: int) -> bool:
    return bool(event.address) and (event.at or 0) >= since


def pause_after_batch(domain: str) -> None:
    """A batch of a slowed domain was accepted: the next one waits. Nothing for a domain that is not slowed by its deferrals."""
    with connection.cursor() as cursor:
        cursor.execute(_PAUSE, {"name": domain, "pause": PAUSE, "longest": LONGEST_PAUSE})


def _told(events: list[ReportedEvent], domains: set[str]) -> dict[str, _Told]:
    """Each reader is counted once for what is said of them here, however often it is said."""
    readers: dict[tuple[str, str], set[str]] = {}
    words: dict[str, str] = {}
    for event in events:
        domain = domain_of(event.address)
        if domain in domains:
            readers.setdefault((domain, event.kind), set()).add(event.address)
            if event.kind == EventKind.DEFERRED:
                words[domain] = event.reason
    named = sorted({domain for domain, _ in readers})
    return {
        domain: _Told(
            deferred=len(readers.get((domain, EventKind.DEFERRED), ())),
            delivered=len(readers.get((domain, EventKind.DELIVERED), ())),
            words=words.get(domain, ""),
        )
        for domain in named
    }


def _decide(told: dict[str, _Told]) -> None:
    counts = zip(*((domain, one.deferred, one.delivered) for domain, one in told.items()), strict=True)
    window = [DEFERRALS_COUNT_SECONDS] * 3
    for name, deferred, delivered, slowed in run(_COUNT, (*map(list, counts), *window)):
        share = 100 * deferred / max(deferred + delivered, 1)
        if deferred + delivered < LEAST:
            continue
        if share > settings.MOST_DEFERRED:
            why = f"{share:.0f} % of the last {deferred + delivered:,} mails to it were deferred"
            if said := without_addresses(told[name].words):
                why += f": {said}"
            values = {"name": name, "deferred": deferred, "why": why[:300], "pause": PAUSE, "longest": LONGEST_PAUSE}
            with connection.cursor() as cursor:
                cursor.execute(_SLOW_DOWN, values)
        elif slowed and share <= settings.MOST_DEFERRED / 2:
            # Halfway down, so that it does not go to and fro.
            run("DELETE FROM tasks_mailboxdomain WHERE name = %s", (name,))
