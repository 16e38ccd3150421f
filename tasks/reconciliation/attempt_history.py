"""What is known of each attempt of a send, and what keeps an unknown one from being settled."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Func, IntegerField, Q

from tasks.models import Attempt, Batch
from tasks.providers import registry
from tasks.reconciliation.explanations import Condition, conditions, fact_in_words, never_believed
from tasks.reconciliation.silence import doubts_of


class _Length(Func):
    function = "jsonb_array_length"
    output_field = IntegerField()


@dataclass(frozen=True, kw_only=True, slots=True)
class History:
    """One attempt. `conditions` and `never` are said of those that are unknown now."""

    attempt: Attempt
    facts: list[tuple[str, str]]
    conditions: list[Condition]
    #: Why its silence will never be believed; empty when it may be.
    never: str

    def as_json(self) -> dict[str, Any]:
        row = self.attempt
        return {
            "batch": row.batch_id,
            "number": row.number,
            "attempt": str(row.pk),
            "outcome": row.outcome or "open",
            "readers": row.size,
            "http_status": row.http_status,
            "provider_id": row.provider_id,
            "fenced_at": row.fenced_at.isoformat(),
            "finished_at": row.finished_at.isoformat() if row.finished_at else None,
            "facts": [{"at": at, "words": words} for at, words in self.facts],
            "conditions": [{"holds": each.holds, "words": each.words} for each in self.conditions],
            "never_believed": self.never,
        }


def histories(send_id: int, *, batch_id: int | None = None, everything: bool = False) -> list[History]:
    """The attempts that did not simply get the answer "accepted", by batch and number; every one with `everything`."""
    rows = Attempt.objects.filter(batch__send_id=send_id).order_by("batch_id", "number")
    if batch_id is not None:
        rows = rows.filter(batch_id=batch_id)
    if not everything:
        plain = Q(
            outcome=Attempt.Outcome.ACCEPTED, facts=1, evidence__contains=[{"kind": "answer", "proves": "accepted"}]
        )
        rows = rows.annotate(facts=_Length("evidence")).exclude(plain).exclude(outcome=Attempt.Outcome.OPEN)
    found = list(rows)
    grace = float(settings.SILENCE_GRACE)
    unknown = [row for row in found if row.outcome == Attempt.Outcome.UNKNOWN]
    doubts = {
        doubt.attempt: doubt
        for transport in sorted({row.transport for row in unknown if registry.reports(row.transport)})
        for doubt in doubts_of(transport, grace=grace)
    }
    return [
        History(
            attempt=row,
            facts=[(str(fact.get("at") or "")[:19].replace("T", " "), fact_in_words(fact)) for fact in row.evidence],
            conditions=conditions(doubts[row.pk], grace=grace) if row.pk in doubts else [],
            never=_never(row, known=row.pk in doubts),
        )
        for row in found
    ]


def _never(row: Attempt, *, known: bool) -> str:
    if row.outcome != Attempt.Outcome.UNKNOWN or known:
        return ""
    why = never_believed(row.evidence, reports=registry.reports(row.transport))
    return why or "another attempt of its batch has settled the batch"


def never_posted(send_id: int, *, batch_id: int | None = None) -> list[int]:
    """Unknown batches without an attempt: the database moved under them, and nobody knows whether they were sent."""
    rows = Batch.objects.filter(send_id=send_id, status=Batch.Status.UNKNOWN).exclude(
        attempt__in=Attempt.objects.filter(batch__send_id=send_id).values("pk")
    )
    if batch_id is not None:
        rows = rows.filter(pk=batch_id)
    return list(rows.order_by("pk").values_list("pk", flat=True))
