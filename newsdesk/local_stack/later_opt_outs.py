"""Opt-outs that came after a backup was made, carried over from the database whose place it takes.

In the backup whoever has unsubscribed, complained, bounced, refused to be tracked or was erased since is as before, and would be
mailed; and who was merged since is two readers, of whom one left. Nothing that anybody agreed to is carried over: where both differ, the refusal counts.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import structlog
from django.db import connection

from newsdesk.core.errors import RefusedError
from subscribers import erased, preferences, suppression, tracking
from subscribers.models import Subscriber, Suppression
from tasks.models import Receipt
from tasks.privacy import erasing, merging

log = structlog.get_logger(__name__)

SOURCE = "restored from a backup: asked for after it was made"
_MERGED = "SELECT gone_id, kept_id, address FROM subscribers_mergedreader WHERE address <> '' ORDER BY at, gone_id"
_LEFT_BY = "SELECT list_id FROM subscribers_subscription WHERE subscriber_id = %s AND status = 'unsubscribed'"
_HAS_DENIED = "SELECT 1 FROM subscribers_subscriber WHERE id = %s AND tracking = 'denied'"
_WAITING = (
    "SELECT id, provider, body, received_at FROM tasks_receipt WHERE applied_at IS NULL AND error = '' ORDER BY id"
)
#: Rows that are read and compared at a time.
_AT_ONCE = 5000
_SAME = "SELECT (SELECT id::text FROM tasks_installation LIMIT 1), to_regclass('subscribers_suppression') IS NOT NULL"
_SUPPRESSIONS = "SELECT address, publication_id, reason, detail FROM subscribers_suppression"
_LEFT = """
SELECT n.subscriber_id, n.list_id, s.created_at FROM subscribers_subscription n JOIN subscribers_subscriber s ON s.id = n.subscriber_id
 WHERE n.status = 'unsubscribed'
"""
#: A row is the same in both by its id and its making: an id may have been given away again.
_STILL_ON = """
SELECT n.subscriber_id, n.list_id FROM unnest(%s::bigint[], %s::bigint[], %s::timestamptz[]) AS gone (subscriber_id, list_id, created_at)
  JOIN subscribers_subscription n USING (subscriber_id, list_id)
  JOIN subscribers_subscriber s ON s.id = n.subscriber_id AND s.created_at = gone.created_at
 WHERE n.status <> 'unsubscribed' ORDER BY 1, 2
"""
_DENIED = "SELECT id, created_at FROM subscribers_subscriber WHERE tracking = 'denied'"
_STILL_TRACKED = """
SELECT s.id FROM unnest(%s::bigint[], %s::timestamptz[]) AS denied (id, created_at)
  JOIN subscribers_subscriber s USING (id, created_at) WHERE s.tracking <> 'denied' ORDER BY 1
"""


@dataclass(frozen=True, kw_only=True)
class OptOuts:
    """How many of each were carried over."""

    #: Addresses, domains and hashes that are suppressed now and were not in the backup.
    suppressions: int
    #: Subscriptions that were given up.
    left: int
    #: Readers who refused to be tracked.
    untracked: int
    #: Readers who had been erased and were in the backup: they are erased again.
    erased: int
    #: Records of one person that are one reader again.
    merged: int
    #: Those that could not be: what the one had given up the other one has given up too.
    not_merged: int


def carry_over(kept: "psycopg.Connection[Any]") -> OptOuts:
    """Take them over from `kept`, the database of this installation as it was.

    May be repeated. Raises psycopg.Error and the errors of our own database.
    """
    # First, so that who has left with one address leaves with both.
    merged, not_merged = _merge_again(kept)
    suppressions, new_erasures = _suppress(kept)
    _take_waiting_reports(kept)
    return OptOuts(
        suppressions=suppressions,
        left=_leave(kept),
        untracked=_deny_tracking(kept),
        erased=_erase_again() if new_erasures else 0,
        merged=merged,
        not_merged=not_merged,
    )


def is_ours(kept: "psycopg.Connection[Any]") -> bool:
    """Whether it is a database of this installation. Raises psycopg.Error and the errors of our own database."""
    if kept.execute("SELECT to_regclass('tasks_installation') IS NULL").fetchone() == (True,):
        return False
    with connection.cursor() as cursor:
        cursor.execute(_SAME)
        return bool(kept.execute(_SAME).fetchone() == cursor.fetchone())


def _merge_again(kept: "psycopg.Connection[Any]") -> tuple[int, int]:
    """How many were merged, and how many could not be."""
    merged = not_merged = 0
    for gone_id, kept_id, address in kept.execute(_MERGED).fetchall():
        both = Subscriber.objects.in_bulk([gone_id, kept_id])
        if gone_id not in both or address not in erased.erased_forms(both[gone_id].email):
            continue
        if _is_merged(both.get(kept_id), both[gone_id]):
            merged += 1
            continue
        not_merged += 1
        for (list_id,) in kept.execute(_LEFT_BY, [kept_id]).fetchall():
            preferences.leave_list(gone_id, list_id, source=SOURCE)
        if kept.execute(_HAS_DENIED, [kept_id]).fetchone():
            tracking.answer(gone_id, Subscriber.Tracking.DENIED, source=SOURCE)
    return merged, not_merged


def _is_merged(keep: Subscriber | None, other: Subscriber) -> bool:
    """False where the one that was kept came after the backup, a request with one of them was under way then, or they are to be erased."""
    if keep is None:
        return False
    try:
        merging.merge(keep, other, who=SOURCE, patience=0)
    except RefusedError as error:
        log.warning("readers_not_merged_again", kept=keep.pk, gone=other.pk, why=str(error))
        return False
    return True


def _take_waiting_reports(kept: "psycopg.Connection[Any]") -> None:
    """Webhook calls that were answered and not yet applied: there may be opt-outs in them."""
    for rows in _in_pieces(kept, _WAITING):
        receipts = [Receipt(id=row[0], provider=row[1], body=row[2], received_at=row[3]) for row in rows]
        Receipt.objects.bulk_create(receipts, ignore_conflicts=True)


def _suppress(kept: "psycopg.Connection[Any]") -> tuple[int, bool]:
    """How many are new, and whether erased readers are among them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM composer_publication")
        publications = {None, *(publication_id for (publication_id,) in cursor.fetchall())}
    new = new_erasures = 0
    for rows in _in_pieces(kept, _SUPPRESSIONS):
        requests = [
            suppression.SuppressionRequest(address=address, publication_id=of, reason=reason, detail=detail)
            for address, of, reason, detail in rows
            if of in publications
        ]
        erasures = [one for one in requests if one.reason == Suppression.Reason.ERASED]
        new_erasures += suppression.suppress_many(erasures)
        new += suppression.suppress_many(one for one in requests if one.reason != Suppression.Reason.ERASED)
    return new + new_erasures, new_erasures > 0


def _leave(kept: "psycopg.Connection[Any]") -> int:
    left = 0
    for rows in _in_pieces(kept, _LEFT):
        for subscriber_id, list_id in _here(_STILL_ON, rows):
            left += preferences.leave_list(subscriber_id, list_id, source=SOURCE)
    return left


def _deny_tracking(kept: "psycopg.Connection[Any]") -> int:
    denied = 0
    for rows in _in_pieces(kept, _DENIED):
        for (subscriber_id,) in _here(_STILL_TRACKED, rows):
            denied += tracking.answer(subscriber_id, Subscriber.Tracking.DENIED, source=SOURCE)
    return denied


def _erase_again() -> int:
    """Readers who are here although their address is that of an erased one."""
    forms = erased.sql_forms("lower(s.email)")
    among = " OR ".join(f"{form} IN (SELECT address FROM gone)" for form, _ in forms)  # noqa: S608 - made of constants
    sql = (
        "WITH gone AS MATERIALIZED (SELECT address FROM subscribers_suppression WHERE reason = 'erased') "  # noqa: S608 - likewise
        f"SELECT s.email FROM subscribers_subscriber s WHERE {among} ORDER BY s.id"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [param for form, _ in forms for param in form.params])
        addresses = [address for (address,) in cursor.fetchall()]
    erasing.erase_again(addresses, who=SOURCE)
    return len(addresses)


def _in_pieces(kept: "psycopg.Connection[Any]", sql: str) -> Iterator[list[tuple[Any, ...]]]:
    with kept.cursor(name="opt_outs") as cursor:
        cursor.execute(sql.encode())
        while rows := cursor.fetchmany(_AT_ONCE):
            yield rows


def _here(sql: str, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The answer of our own database about these rows, which its parameters name column by column."""
    with connection.cursor() as cursor:
        cursor.execute(sql, [list(column) for column in zip(*rows, strict=True)])
        return list(cursor.fetchall())
