"""Every night: what SendGrid no longer mails, and we would. A lost webhook is healed by it.

What SendGrid has and we lack is added, but never what a person has set free here. A release leaves a trace in one of
three ways: we had heard of it (the event is stored), an earlier comparison had added it, or the reader subscribed again
(the consent is stored). Only entries made since two days before the last finished comparison are looked at; the first
one looks at all.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

import structlog
from django.db import DatabaseError, connection, transaction
from django.db.models.functions import Now

from newsdesk.core.advisory_locks import AdvisoryLock, tried
from subscribers import suppression
from subscribers.models import Suppression
from subscribers.suppression import SuppressionRequest, erased_address
from tasks import queue
from tasks.alarms.raising import raise_alarm
from tasks.models import Alarm, SuppressionSync
from tasks.providers.registry import get_transport
from tasks.providers.sendgrid.suppressions import LISTS, PAGE, Entry, ListUnavailableError, page
from tasks.providers.sendgrid.transport import SendGridTransport

log = structlog.get_logger(__name__)

#: Days before the last finished comparison from which entries are looked at again.
OVERLAP_DAYS = 2
#: A night's comparison rests after this many seconds and goes on with the next doorbell: a task may run for 240.
NIGHTLY_SECONDS = 180.0
#: One that was broken off longer ago than this is not gone on with.
RESUME_HOURS = 12
#: So many of our readers missing, or this share of the entries and more than a handful, means that webhooks get lost.
ALARM_NUMBER = 100
ALARM_SHARE = 0.01
HANDFUL = 5

#: Our reason for each list, and the events by which we hear of what stands on it.
_MEANING: dict[str, tuple[str, tuple[str, ...]]] = {
    "bounces": (Suppression.Reason.HARD_BOUNCE.value, ("hard_bounce", "dropped")),
    "spam_reports": (Suppression.Reason.COMPLAINT.value, ("complaint", "dropped")),
    "invalid_emails": (Suppression.Reason.INVALID.value, ("dropped",)),
    "unsubscribes": (Suppression.Reason.UNSUBSCRIBED.value, ("unsubscribed", "dropped")),
}

#: An entry's event may be an hour older than the entry. `ours`: a mail of ours went to the reader just before.
_TRACES = """
    EXISTS (SELECT 1 FROM tasks_event e WHERE e.send_id IS NULL AND e.subscriber_id = s.id AND e.kind = ANY(%(kinds)s)
             AND e.at > to_timestamp(t.created) - interval '1 hour')
 OR EXISTS (SELECT 1 FROM tasks_send m JOIN tasks_event e ON e.send_id = m.id AND e.subscriber_id = s.id
             WHERE e.kind = ANY(%(kinds)s) AND e.at > to_timestamp(t.created) - interval '1 hour'
               AND m.prepared_at > to_timestamp(t.created) - interval '11 days') AS heard,
    EXISTS (SELECT 1 FROM tasks_send m JOIN tasks_delivery d ON d.send_id = m.id AND d.subscriber_id = s.id
             WHERE m.prepared_at BETWEEN to_timestamp(t.created) - interval '10 days'
                                     AND to_timestamp(t.created) + interval '5 minutes') AS ours
"""
_LACKING = f"""
SELECT t.position, {_TRACES}
  FROM unnest(%(positions)s::int[], %(addresses)s::text[], %(hashes)s::text[], %(created)s::bigint[])
       AS t(position, address, hash, created)
  LEFT JOIN subscribers_subscriber s ON lower(s.email) = t.address
 WHERE NOT EXISTS (SELECT 1 FROM subscribers_suppression x
                    WHERE (x.address = t.address AND x.reason = %(reason)s)
                       OR (x.address = t.hash AND x.reason = 'erased'))
"""  # noqa: S608 - one text of ours in another
#: One row for each publication that the reader is on and has not left.
_SUBSCRIBED = f"""
SELECT t.position, t.subscriber_id, t.publication_id, t.back, t.back_after, t.heard, t.ours FROM (
SELECT t.position, s.id AS subscriber_id, l.publication_id,
       EXISTS (SELECT 1 FROM subscribers_consent c JOIN subscribers_list o ON o.id = c.list_id
                WHERE c.subscriber_id = s.id AND o.publication_id = l.publication_id AND c.kind = 'given'
                  AND c.at > to_timestamp(t.created)) AS back,
       EXISTS (SELECT 1 FROM tasks_send m JOIN composer_edition w ON w.id = m.edition_id
                 JOIN tasks_event e ON e.send_id = m.id AND e.subscriber_id = s.id
                WHERE w.publication_id = l.publication_id AND e.kind = ANY(%(kinds)s)
                  AND e.at > to_timestamp(t.created) - interval '1 hour') AS back_after, {_TRACES}
  FROM unnest(%(positions)s::int[], %(addresses)s::text[], %(created)s::bigint[]) AS t(position, address, created)
  JOIN subscribers_subscriber s ON lower(s.email) = t.address
  JOIN LATERAL (SELECT DISTINCT o.publication_id FROM subscribers_subscription n
                  JOIN subscribers_list o ON o.id = n.list_id WHERE n.subscriber_id = s.id) l ON true
 WHERE NOT EXISTS (SELECT 1 FROM subscribers_suppression x WHERE x.address = t.address
                    AND x.reason = 'unsubscribed' AND x.publication_id = l.publication_id)
) t
"""  # noqa: S608 - one text of ours in another


@dataclass(kw_only=True)
class _List:
    """What was found on one list so far; the numbers of Comparison.found."""

    theirs: int = 0
    added: int = 0
    known: int = 0
    freed: int = 0
    #: Of those added: a mail of ours went to the reader just before, and nobody told us.
    lost: int = 0
    done: bool = False
    #: Digests of what was added: should a person set it free, the next night must not add it again.
    remembered: list[str] = field(default_factory=list)


def sync_nightly() -> None:
    """The errand of beat: never raises, and goes on with another doorbell where a task's time is not enough."""
    transport = get_transport()
    if not isinstance(transport, SendGridTransport):
        return
    try:
        done = sync(transport, seconds=NIGHTLY_SECONDS)
    except DatabaseError:
        log.exception("comparison_broken_off")
        return
    if done is not None and done.finished_at is None and not done.error:
        queue.enqueue_suppression_sync()


def sync(
    transport: SendGridTransport, *, seconds: float | None = None, wait: Callable[[float], None] = time.sleep
) -> SuppressionSync | None:
    """Compare now, or go on with a comparison that rests; None when another process is at it.

    After `seconds` it rests: neither finished nor with an error. What SendGrid does not answer is the error; whatever was
    added stays, and the next comparison looks at the same entries again.
    """
    with tried(AdvisoryLock.SUPPRESSION_SYNC) as ours:
        return _compare(transport, None if seconds is None else time.monotonic() + seconds, wait) if ours else None


def _compare(transport: SendGridTransport, until: float | None, wait: Callable[[float], None]) -> SuppressionSync:
    comparison = _resting(transport.name) or SuppressionSync.objects.create(transport=transport.name)
    comparison.refresh_from_db()
    since = _since(comparison)
    try:
        for name in LISTS:
            found = _List(**comparison.found.get(name, {}))
            while not found.done:
                if until is not None and time.monotonic() > until:
                    return comparison
                entries = page(transport, name, since=since, offset=found.theirs, wait=wait)
                with transaction.atomic():
                    _heal(comparison, name, entries, found, since)
                    comparison.found[name] = vars(found)
                    comparison.save(update_fields=["found"])
    except ListUnavailableError as error:
        comparison.error = str(error)[:500]
        comparison.save(update_fields=["error"])
        log.warning("comparison_broken_off", error=comparison.error)
        return comparison
    SuppressionSync.objects.filter(pk=comparison.pk).update(finished_at=Now())
    comparison.refresh_from_db()
    log.info("suppressions_compared", **summary(comparison)["lists"])
    _look_for_lost_webhooks(comparison)
    return comparison


def _resting(transport: str) -> SuppressionSync | None:
    """One that has rested, or whose process was killed; the last finished one is newer than none of them."""
    last = SuppressionSync.objects.filter(transport=transport, started_at__gt=Now() - timedelta(hours=RESUME_HOURS))
    newest = last.order_by("-pk").first()
    return newest if newest is not None and newest.finished_at is None and not newest.error else None


def _since(comparison: SuppressionSync) -> int | None:
    """Unix seconds from which entries count; None = all of them."""
    finished = SuppressionSync.objects.filter(
        transport=comparison.transport, finished_at__isnull=False, pk__lt=comparison.pk
    )
    last = finished.order_by("-pk").first()
    return None if last is None else int(last.started_at.timestamp()) - OVERLAP_DAYS * 86400


def _heal(comparison: SuppressionSync, name: str, entries: Sequence[Entry], found: _List, since: int | None) -> None:
    """Add what is lacking of one page, and count."""
    handled = _remembered(comparison, name, since)
    heal = _unsubscribe if name == "unsubscribes" else _suppress
    added, freed, lost = heal(comparison, name, entries, handled)
    found.theirs += len(entries)
    found.added += len(added)
    found.freed += freed
    found.known += len(entries) - len(added) - freed
    found.lost += lost
    found.done = len(entries) < PAGE
    recent = int(comparison.started_at.timestamp()) - (OVERLAP_DAYS + 1) * 86400
    found.remembered += [_digest(entry) for entry in added if entry.created >= (recent if since is None else since)]


def _suppress(
    comparison: SuppressionSync, name: str, entries: Sequence[Entry], handled: set[str]
) -> tuple[list[Entry], int, int]:
    reason, kinds = _MEANING[name]
    rows = _ask(
        _LACKING, entries, kinds=list(kinds), reason=reason, hashes=[erased_address(e.address) for e in entries]
    )
    lacking = {position: (heard or _digest(entries[position]) in handled, ours) for position, heard, ours in rows}
    added = [entries[position] for position, (freed, _) in lacking.items() if not freed]
    source = _source(comparison)
    suppression.suppress_many(
        SuppressionRequest(address=e.address, reason=reason, detail=f"{source}: {e.reason}" if e.reason else source)
        for e in added
    )
    return added, len(lacking) - len(added), sum(1 for freed, ours in lacking.values() if ours and not freed)


def _unsubscribe(
    comparison: SuppressionSync, name: str, entries: Sequence[Entry], handled: set[str]
) -> tuple[list[Entry], int, int]:
    pairs: list[tuple[int, int]] = []
    added: dict[int, bool] = {}
    freed: set[int] = set()
    for position, subscriber, publication, subscribed, heard_of, heard, ours in _ask(
        _SUBSCRIBED, entries, kinds=list(_MEANING[name][1])
    ):
        if subscribed or heard_of or _digest(entries[position]) in handled:
            freed.add(position)
            continue
        pairs.append((subscriber, publication))
        added[position] = ours and not heard
    suppression.unsubscribe_many(pairs, _source(comparison))
    return [entries[position] for position in added], len(freed - added.keys()), sum(added.values())


def _ask(sql: str, entries: Sequence[Entry], **more: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(
            sql,
            {
                "positions": list(range(len(entries))),
                "addresses": [entry.address.replace("\0", "") for entry in entries],
                "created": [entry.created for entry in entries],
                **more,
            },
        )
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def _remembered(comparison: SuppressionSync, name: str, since: int | None) -> set[str]:
    """What comparisons added that may have seen the same entries."""
    others = SuppressionSync.objects.filter(transport=comparison.transport, pk__lt=comparison.pk)
    if since is not None:
        others = others.filter(started_at__gte=datetime.fromtimestamp(since, UTC))
    return {
        digest
        for found in others.values_list("found", flat=True)
        for digest in found.get(name, {}).get("remembered", ())
    }


def _digest(entry: Entry) -> str:
    return blake2b(f"{entry.address}\0{entry.created}".encode(), digest_size=8).hexdigest()


def _source(comparison: SuppressionSync) -> str:
    return f"SendGrid's list, {comparison.started_at:%Y-%m-%d}"


def _look_for_lost_webhooks(comparison: SuppressionSync) -> None:
    lost = sum(found["lost"] for found in comparison.found.values())
    theirs = sum(found["theirs"] for found in comparison.found.values())
    if lost > ALARM_NUMBER or (lost > HANDFUL and lost > theirs * ALARM_SHARE):
        raise_alarm(
            Alarm.Code.SUPPRESSIONS_MISSING,
            f"SendGrid had stopped mailing {lost} of our readers and no webhook had told us: webhooks get lost. They are "
            f"suppressed now ({comparison.started_at:%Y-%m-%d}).",
        )


def summary(comparison: SuppressionSync) -> dict[str, Any]:
    """What people and programs want to know of a comparison."""
    numbers = ("theirs", "known", "added", "freed", "lost")
    return {
        "comparison": comparison.pk,
        "finished": comparison.finished_at is not None,
        "error": comparison.error,
        "lists": {
            name: {number: comparison.found.get(name, {}).get(number, 0) for number in numbers} for name in LISTS
        },
    }
