"""Every candidate of a send and what became of them, one row each: exactly the rows that the counts count.

The server makes the CSV (COPY … TO STDOUT) and it is passed on as it comes: memory stays flat, whatever the size.

Which request a row names: the accepted one of a batch that is submitted, else the last one in which the reader was. A
member who is excluded from attempt n on (docs/architecture.md, Counts) was in those numbered below n; one who was excluded
before the first was in none.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from django.db import connection, transaction

from tasks.models import Delivery
from tasks.providers.events import EventKind
from tasks.sends import archives

COLUMNS = (
    "subscriber",
    "email",
    "outcome",
    "reason",
    "batch",
    "attempt_number",
    "attempt",
    "provider_id",
    "http_status",
    "submitted_at",
    "delivered_at",
    "bounced_at",
    "opened_at",
    "clicked_at",
    "complained_at",
    "unsubscribed_at",
)

#: What became of a delivery with its batch `b` and its exclusion `x`, if it has one, in the words of the counts (`tasks.sends.counts`).
OUTCOME = """
       CASE WHEN x.kind IS NOT NULL THEN x.kind
            WHEN b.status = 'cancelled' THEN 'excluded'
            WHEN b.status = 'building' THEN 'pending'
            ELSE b.status END AS outcome,
       CASE WHEN x.kind IS NOT NULL THEN x.reason WHEN b.status = 'cancelled' THEN 'cancelled' ELSE '' END AS reason
"""
#: Deliveries, and candidates who never had one. `{send}`: its id.
_CANDIDATES = f"""
SELECT d.subscriber_id, d.batch_id, d.seen::int AS seen, x.attempt AS excluded_from, {OUTCOME}
  FROM tasks_delivery d
  JOIN tasks_batch b ON b.id = d.batch_id
  LEFT JOIN tasks_exclusion x ON x.send_id = d.send_id AND x.subscriber_id = d.subscriber_id
 WHERE d.send_id = {{send}}
UNION ALL
SELECT x.subscriber_id, NULL, 0, x.attempt, x.kind, x.reason
  FROM tasks_exclusion x
 WHERE x.send_id = {{send}} AND x.attempt = 0
   AND NOT EXISTS (SELECT 1 FROM tasks_delivery d
                    WHERE d.send_id = x.send_id AND d.subscriber_id = x.subscriber_id)
"""  # noqa: S608 - made of constants
_SUMMARY = """
SELECT outcome, CASE WHEN outcome = 'excluded' THEN reason ELSE '' END, count(*)
  FROM ({candidates}) c GROUP BY 1, 2 ORDER BY 1, 2
"""
#: Whoever left through the link in the mail has no event: the withdrawal of their consent tells when.
_UNSUBSCRIBED = """
COALESCE(t.unsubscribed, CASE WHEN c.seen & {unsubscribed_bit} <> 0 THEN (
    SELECT min(w.at) FROM subscribers_consent w JOIN subscribers_list l ON l.id = w.list_id, sent
     WHERE w.subscriber_id = c.subscriber_id AND w.kind = 'withdrawn'
       AND l.publication_id = sent.publication_id AND w.at >= sent.prepared_at) END)
"""
#: A spreadsheet would run these as formulas.
_AS_TEXT = "CASE WHEN {text} ~ '^[=+@\\t\\r-]' THEN '''' || {text} ELSE {text} END"
#: An address may stand there in the forms that mail servers give it. A row is one line.
_WITHOUT_ADDRESSES = (
    "regexp_replace(translate(c.reason, chr(10) || chr(13), '  '), "
    """'[^[:space:]<>"''(),;]*(@|=40|%40)[^[:space:]<>"''(),;]*', '…', 'gi')"""
)
_TIME = "to_char({time} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
#: When each thing was first reported of a reader; `{first_reports}` below.
_FIRST_REPORTS = ",\n           ".join(
    f"min(e.at) FILTER (WHERE e.kind = ANY('{{{','.join(kinds)}}}'){by_people}) AS {name}"
    for name, kinds, by_people in (
        ("delivered", (EventKind.DELIVERED,), ""),
        ("bounced", (EventKind.HARD_BOUNCE, EventKind.SOFT_BOUNCE), ""),
        ("opened", (EventKind.OPENED,), " AND NOT e.machine"),
        ("clicked", (EventKind.CLICKED,), " AND NOT e.machine"),
        ("complained", (EventKind.COMPLAINT,), ""),
        ("unsubscribed", (EventKind.UNSUBSCRIBED,), ""),
    )
)
_ROWS = """
WITH candidates AS ({candidates}),
sent AS (
    SELECT m.prepared_at, e.publication_id FROM tasks_send m JOIN composer_edition e ON e.id = m.edition_id
     WHERE m.id = {send}
),
shown AS (
    SELECT b.id AS batch_id,
           CASE WHEN b.status = 'submitted' THEN b.attempt
                ELSE (SELECT a.id FROM tasks_attempt a WHERE a.batch_id = b.id ORDER BY a.number DESC LIMIT 1)
           END AS attempt
      FROM tasks_batch b WHERE b.send_id = {send}
),
reported AS (
    SELECT e.subscriber_id,
           {first_reports}
      FROM tasks_event e WHERE e.send_id = {send} GROUP BY e.subscriber_id
)
SELECT c.subscriber_id AS subscriber, {email} AS email, c.outcome, {reason} AS reason, c.batch_id AS batch,
       a.number AS attempt_number, a.id AS attempt, {provider} AS provider_id, a.http_status,
       {submitted} AS submitted_at, {delivered} AS delivered_at, {bounced} AS bounced_at, {opened} AS opened_at,
       {clicked} AS clicked_at, {complained} AS complained_at, {unsubscribed} AS unsubscribed_at
  FROM candidates c
  LEFT JOIN subscribers_subscriber s ON s.id = c.subscriber_id
  LEFT JOIN shown ON shown.batch_id = c.batch_id
  LEFT JOIN tasks_attempt a ON a.id =
       CASE WHEN c.excluded_from IS NULL THEN shown.attempt
            ELSE (SELECT o.id FROM tasks_attempt o WHERE o.batch_id = c.batch_id AND o.number < c.excluded_from
                   ORDER BY o.number DESC LIMIT 1)
       END
  LEFT JOIN reported t ON t.subscriber_id = c.subscriber_id
 ORDER BY c.subscriber_id
"""


def snapshot() -> AbstractContextManager[None]:
    """A read-only transaction with one snapshot: `write` and `summary` agree inside it while workers work."""
    return _snapshot()


@contextmanager
def _snapshot() -> Any:
    with transaction.atomic():
        if not connection.savepoint_ids:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def write(send_id: int, out: Callable[[bytes], object]) -> None:
    """Pass the report as CSV (RFC 4180, UTF-8, COLUMNS as its heading) to `out`, in pieces of no fixed size.

    Of a send whose deliveries are archived it is read from the file. Raises ArchiveUnreadableError.
    """
    if archive := archives.dropped(send_id):
        archives.write(archive, out)
    else:
        _copy(_rows(send_id), out)


def write_without_addresses(send_id: int, out: Callable[[bytes], object]) -> None:
    """The same of deliveries in the database, with an empty column for the address, and none in the words of providers."""
    _copy(_rows(send_id, email="''", reason=_WITHOUT_ADDRESSES), out)


def _copy(rows: str, out: Callable[[bytes], object]) -> None:
    sql = f"COPY ({rows}) TO STDOUT WITH (FORMAT csv, HEADER)"
    connection.ensure_connection()
    with connection.wrap_database_errors, connection.connection.cursor() as cursor, cursor.copy(sql.encode()) as copy:
        for piece in copy:
            out(piece)


def summary(send_id: int) -> dict[str, Any]:
    """The sums as JSON: {"send", "rows", "excluded": {reason: n}, "pending", "submitting", "submitted", "unknown", "failed"}.

    With `archived`, the name of the file, where the deliveries are no longer in the database.
    """
    if archive := archives.dropped(send_id):
        return {**archive.sums, "archived": archive.file}
    counted: dict[str, Any] = {"send": send_id, "rows": 0, "excluded": {}}
    counted.update(dict.fromkeys(("pending", "submitting", "submitted", "unknown", "failed"), 0))
    with connection.cursor() as cursor:
        cursor.execute(_SUMMARY.format(candidates=_CANDIDATES.format(send=int(send_id))))
        for outcome, reason, number in cursor.fetchall():
            counted["rows"] += number
            if outcome == "excluded":
                counted["excluded"][reason] = number
            else:
                counted[outcome] += number
    return counted


def _rows(send_id: int, *, email: str = "COALESCE(s.email, '')", reason: str = "c.reason") -> str:
    texts = {"email": email, "reason": reason, "provider": "a.provider_id"}
    times = {name: f"t.{name}" for name in ("delivered", "bounced", "opened", "clicked", "complained")}
    times |= {
        "submitted": "CASE WHEN a.outcome = 'accepted' THEN a.finished_at END",
        "unsubscribed": _UNSUBSCRIBED.format(unsubscribed_bit=Delivery.Seen.UNSUBSCRIBED.value),
    }
    return _ROWS.format(
        send=int(send_id),
        candidates=_CANDIDATES.format(send=int(send_id)),
        first_reports=_FIRST_REPORTS,
        **{name: _AS_TEXT.format(text=text) for name, text in texts.items()},
        **{name: _TIME.format(time=time) for name, time in times.items()},
    )
