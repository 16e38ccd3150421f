"""An answer or any event that names an attempt proves that the provider accepted it, all of it."""

from collections.abc import Iterable, Mapping
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models.functions import Coalesce, Now

from tasks.alarms.raising import raise_alarm
from tasks.attempts import exclusions
from tasks.database.statements import run
from tasks.models import Alarm, Attempt, Batch, Send, TransportState, evidence
from tasks.providers.registry import title_of
from tasks.sends import database_moved, finishing

log = structlog.get_logger(__name__)

#: From these on another send of the edition takes the batch's readers for missed (`tasks.audience.freezing`).
GIVEN_UP = (Batch.Status.FAILED, Batch.Status.CANCELLED)
_IN_ANOTHER_SEND = """
SELECT count(*) > 0, min(b.send_id)
  FROM tasks_send mine
  JOIN tasks_send other ON other.edition_id = mine.edition_id AND other.id <> mine.id
  JOIN tasks_batch b ON b.send_id = other.id AND b.status NOT IN ('failed', 'cancelled')
  JOIN tasks_delivery d ON d.batch_id = b.id AND d.send_id = other.id
  JOIN tasks_delivery m ON m.send_id = mine.id AND m.batch_id = %s AND m.subscriber_id = d.subscriber_id
 WHERE mine.id = %s
   AND NOT EXISTS (SELECT 1 FROM tasks_exclusion x WHERE x.send_id = other.id AND x.subscriber_id = d.subscriber_id)
   AND NOT EXISTS (SELECT 1 FROM tasks_exclusion x
                    WHERE x.send_id = mine.id AND x.subscriber_id = m.subscriber_id AND x.attempt <= %s)
"""


def prove_accepted(attempts: Mapping[UUID, int | None], *, by: Mapping[str, object]) -> None:
    """Record that these attempts (each with the send the evidence names, if any) were accepted.

    Call it inside a transaction, before any delivery's row is locked: batches are locked in the order of their ids.
    An attempt that has no row means that the database has lost what it committed: its send pauses. That is for evidence that
    is ours for sure, such as an answer; a report may be somebody else's (`tasks.feedback.unmatched_reports`). Raises the
    database's errors.
    """
    known = {row.pk: row for row in Attempt.objects.filter(pk__in=attempts).only("pk", "batch_id", "number", "outcome")}
    lost: dict[int, list[UUID]] = {}
    for attempt, send_id in attempts.items():
        if attempt not in known and send_id is not None:
            lost.setdefault(send_id, []).append(attempt)
    for send_id, lost_attempts in sorted(lost.items()):
        pause_for_lost_attempts(send_id, lost_attempts)
    unproven = [row for row in known.values() if row.outcome != Attempt.Outcome.ACCEPTED]
    for row in sorted(unproven, key=lambda row: (row.batch_id or 0, row.number)):
        _accept(row, by=by)


def _accept(row: Attempt, *, by: Mapping[str, object]) -> None:
    batch = Batch.objects.select_for_update(of=("self",)).filter(pk=row.batch_id or 0).first()
    answer = {name: by[name] for name in ("http_status", "provider_id") if name in by}
    proven = (
        Attempt.objects.filter(pk=row.pk)
        .exclude(outcome=Attempt.Outcome.ACCEPTED)
        .update(
            outcome=Attempt.Outcome.ACCEPTED,
            finished_at=Coalesce("finished_at", Now()),
            evidence=evidence.with_fact({**by, "proves": "accepted"}),
            **answer,
        )
    )
    if not proven or batch is None:
        return
    if by.get("kind") != "answer":
        log.info("attempt_proven", batch=batch.pk, attempt=str(row.pk), was=batch.status, by=by.get("kind"))
    if batch.attempts > 1:
        accepted = Attempt.objects.filter(batch_id=batch.pk, outcome=Attempt.Outcome.ACCEPTED).count()
        if accepted > 1:
            _alarm_accepted_twice(batch)
    if batch.status in GIVEN_UP:
        alarm_if_sent_again(batch, row)
    Batch.objects.filter(pk=batch.pk).update(status=Batch.Status.SUBMITTED, attempt=row.pk)
    if batch.excluded or batch.failed:
        exclusions.readmit(batch.pk, later_than=row.number)
    transaction.on_commit(lambda: finishing.finish_if_done(batch.send_id), robust=True)


def _alarm_accepted_twice(batch: Batch) -> None:
    """Two requests of one batch are out: raise an alarm, and believe these keys' silence no more until a person says so."""
    accepted = Attempt.objects.filter(batch_id=batch.pk, outcome=Attempt.Outcome.ACCEPTED)
    transports = sorted(set(accepted.values_list("transport", flat=True)))
    for transport in transports:
        TransportState.objects.update_or_create(name=transport, defaults={"silence_enabled": False})
    raise_alarm(
        Alarm.Code.ACCEPTED_TWICE,
        f"{' and '.join(map(title_of, transports))} accepted batch {batch.pk} more than once: its {batch.size} readers may have the edition twice. "
        "Silence no longer proves a refusal on this key until a person says so.",
        send_id=batch.send_id,
        mail=True,
    )


def alarm_if_sent_again(batch: Batch, row: Attempt) -> None:
    """What was given up was accepted after all: raise an alarm when another send of the edition has its readers as well.

    It says no number: proven one by one they would each be another alarm.
    """
    ((is_there, other),) = run(_IN_ANOTHER_SEND, (batch.pk, batch.send_id, row.number))
    if not is_there:
        return
    raise_alarm(
        Alarm.Code.ACCEPTED_TWICE,
        f"{title_of(row.transport)} had accepted batch {batch.pk} of send {batch.send_id} after all, and send {other} has "
        "readers of it too: they may have the edition twice. Pause it if it still runs.",
        send_id=batch.send_id,
        mail=True,
    )


def pause_for_lost_attempts(send_id: int, attempts: Iterable[UUID]) -> None:
    """Pause the send, whose open batches become unknown, and record these attempts, which the database lacks, as lost and accepted.

    So each is acted on once: what is reported of it for days afterwards must not undo a person's decision. Nothing is done where there
    is no such send. Call it inside a transaction that has locked no batches yet. Raises the database's errors.
    """
    if not Send.objects.filter(pk=send_id).exists():
        return
    database_moved.pause_for_moved_database(
        send_id,
        "A report came on a request that this database does not know: it has lost what it had committed, "
        "or another installation sends with the same ids. Open batches are unknown.",
    )
    fact = {"kind": "lost", "send": send_id, "proves": "accepted"}
    Attempt.objects.bulk_create(
        [
            Attempt(pk=attempt, number=0, size=0, transport="lost", outcome=Attempt.Outcome.ACCEPTED, evidence=[fact])
            for attempt in attempts
        ],
        ignore_conflicts=True,
    )
