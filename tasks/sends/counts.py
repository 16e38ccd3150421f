"""Where a send stands, in numbers that always add up.

candidates = excluded + pending + submitting + submitted + unknown + failed. Everything comes from the send's batches
(a few hundred rows for a million readers) and the few exclusions since preparation.
"""

import json
from dataclasses import asdict, dataclass, field

from django.db import connection

from tasks.models import Send
from tasks.models.batch import live_sql
from tasks.sends import archives
from tasks.throttling.explanations import why_waiting

REPORTED = ("delivered", "bounced", "complained", "unsubscribed", "opened", "clicked")
#: Where a member without an exclusion is counted, by the status of the batch.
_COUNTED_AS = {
    "pending": "pending",
    "building": "pending",
    "submitting": "submitting",
    "submitted": "submitted",
    "unknown": "unknown",
    "failed": "failed",
}

#: One statement, so that all of it comes from one snapshot: the numbers add up while workers work.
_COUNT = f"""
SELECT s.status, s.candidates, s.excluded,
       (SELECT COALESCE(jsonb_agg(b), '[]') FROM (
            SELECT status, sum({live_sql()}) AS live, sum(failed) AS failed,
                   COALESCE(sum({live_sql()}) FILTER (WHERE tracked), 0) AS tracked,
                   sum(delivered) AS delivered, sum(bounced) AS bounced, sum(complained) AS complained,
                   sum(unsubscribed) AS unsubscribed, sum(opened) AS opened, sum(clicked) AS clicked
              FROM tasks_batch WHERE send_id = s.id GROUP BY status) AS b),
       (SELECT COALESCE(jsonb_object_agg(reason, readers), '{{}}') FROM (
            SELECT reason, count(*) AS readers FROM tasks_exclusion
             WHERE send_id = %s AND attempt > 0 AND kind = 'excluded' GROUP BY reason) AS x)
  FROM tasks_send s WHERE s.id = %s
"""  # noqa: S608 - made of constants


@dataclass(kw_only=True)
class Counts:
    """Readers of one send, by outcome; `delivered` and those after it may overlap and move nobody."""

    status: str
    candidates: int = 0
    excluded: dict[str, int] = field(default_factory=dict)
    pending: int = 0
    submitting: int = 0
    submitted: int = 0
    unknown: int = 0
    failed: int = 0
    delivered: int = 0
    bounced: int = 0
    complained: int = 0
    unsubscribed: int = 0
    opened: int = 0
    clicked: int = 0
    #: Of those submitted, whose opens and clicks the provider was asked to report: no other is ever counted there.
    tracked: int = 0

    @property
    def adds_up(self) -> bool:
        """Whether every candidate is counted exactly once (docs/architecture.md, Counts)."""
        outcomes = self.pending + self.submitting + self.submitted + self.unknown + self.failed
        return self.candidates == sum(self.excluded.values()) + outcomes


def counts(send: Send) -> Counts:
    """Count one send; its status is the one that goes with the numbers."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [send.pk, send.pk])
        status, candidates, excluded, batches, excluded_since = (
            json.loads(cell) if isinstance(cell, str) and cell[:1] in "[{" else cell for cell in cursor.fetchone()
        )
    result = Counts(status=status, candidates=candidates, excluded=excluded)
    for batch in batches:
        result.failed += batch["failed"]
        if batch["status"] == "cancelled":
            _add(result.excluded, "cancelled", batch["live"])
        else:
            outcome = _COUNTED_AS[batch["status"]]
            setattr(result, outcome, getattr(result, outcome) + batch["live"])
            result.tracked += batch["tracked"] if outcome == "submitted" else 0
        for name in REPORTED:
            setattr(result, name, getattr(result, name) + batch[name])
    for reason, number in excluded_since.items():
        _add(result.excluded, reason, number)
    return result


def _add(counted: dict[str, int], reason: str, number: int) -> None:
    if number:
        counted[reason] = counted.get(reason, 0) + number


def counts_with_row(send: Send) -> Counts:
    """The counts, and the row read again where it was older: its reason, its end and its numbers are of one state, which may be its last."""
    counted = counts(send)
    while send.status != counted.status:
        send.refresh_from_db()
        counted = counts(send)
    return counted


def how_to_release(send: Send) -> str:
    """What to type for a held send whose edition is approved; empty for any other. The desk has buttons for it."""
    waits = send.held_at is not None and send.prepared_at is None and send.approval.stands
    return f"newsdesk release {send.pk} --now, or --next-slot." if waits else ""


def as_json(send: Send) -> dict[str, object]:
    """The JSON contract of `newsdesk status`; a paused send also says why; `held` says what one waits for.

    `archived`: the file that has its deliveries, where the database has them no longer.
    """
    report: dict[str, object] = {"send": send.pk, **asdict(counts_with_row(send))}
    if report["status"] == Send.Status.PAUSED:
        report["reason"] = " ".join(filter(None, [send.pause_reason, how_to_release(send)]))
    if reason := why_waiting(send):
        report["held"] = reason
    if archive := archives.dropped(send.pk):
        report["archived"] = archive.file
    return report
