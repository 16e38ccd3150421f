"""What is known of each attempt of a send, and what keeps an unknown one from being settled."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Func, IntegerField, Q

from tasks.models import Attempt, Batch
from tasks.providers import registry
from tasks.reconciliation import activity, activity_notes
from tasks.reconciliation.explanations import (
    Condition,
    conditions,
    explain_fact,
    explain_feed,
    never_believed,
    sooner_conditions,
)
from tasks.reconciliation.silence import doubts_of
from tasks.reconciliation.silence_conditions import Doubt


class _Length(Func):
    function = "jsonb_array_length"
    output_field = IntegerField()


@dataclass(frozen=True, kw_only=True, slots=True)
class History:
    """One attempt. `conditions` and `never_believed` are of those that are unknown now."""

    attempt: Attempt
    #: UTC time to the second, and the explanation.
    facts: list[tuple[str, str]]
    conditions: list[Condition]
    #: Why its silence will never be believed; empty when it may be.
    never_believed: str
    #: What the provider's activity feed said of it, or why it is not asked; empty where it is not used.
    feed: str = ""
    #: What must hold instead of the long grace where the feed confirms the silence.
    sooner: list[Condition] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The JSON contract of `newsdesk evidence`."""
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
            "facts": [{"at": at, "words": text} for at, text in self.facts],
            "conditions": [{"holds": condition.is_met, "words": condition.text} for condition in self.conditions],
            "never_believed": self.never_believed,
            "feed": self.feed,
            "sooner": [{"holds": condition.is_met, "words": condition.text} for condition in self.sooner],
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
    attempts = list(rows)
    grace = float(settings.SILENCE_GRACE)
    unknown = [row for row in attempts if row.outcome == Attempt.Outcome.UNKNOWN]
    doubts = {
        doubt.attempt: doubt
        for transport in sorted({row.transport for row in unknown if registry.reports(row.transport)})
        for doubt in doubts_of(transport, grace=grace)
    }
    feeds = _feeds(unknown, doubts, grace=grace)
    return [
        History(
            attempt=row,
            facts=[(str(fact.get("at") or "")[:19].replace("T", " "), explain_fact(fact)) for fact in row.evidence],
            conditions=conditions(doubts[row.pk], grace=grace) if row.pk in doubts else [],
            never_believed=_never_believed(row, known=row.pk in doubts),
            feed=feeds[row.pk][0] if row.pk in feeds else "",
            sooner=feeds[row.pk][1] if row.pk in feeds else [],
        )
        for row in attempts
    ]


def _feeds(
    unknown: list[Attempt], doubts: Mapping[UUID, Doubt], *, grace: float
) -> dict[UUID, tuple[str, list[Condition]]]:
    """What the activity feed said of attempts of the key in use, and what its confirming their silence waits for."""
    if not unknown:
        return {}
    name = registry.get_transport().name
    asked = [row.pk for row in unknown if row.transport == name]
    if not asked or not activity.is_wanted(name, grace):
        return {}
    notes = activity_notes.noted(name, asked)
    has_none, trouble = activity_notes.trouble(name)
    short = activity.grace_of(name, grace)
    told = {}
    for attempt in asked:
        note = notes.get(attempt, {})
        may_be_believed = short and attempt in doubts
        sooner = sooner_conditions(doubts[attempt], note, grace=short) if may_be_believed else []
        told[attempt] = (explain_feed(note, has_none=has_none, trouble=trouble), sooner)
    return told


def _never_believed(row: Attempt, *, known: bool) -> str:
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
