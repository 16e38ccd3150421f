"""Claims that their workers can no longer keep: which there are, why, and what the transport's journal says of them.

A batch and a transactional mail are claimed in the same way: status, `attempt`, `claimed_at` and `claimed_by`
(docs/architecture.md, "Delivery"). What follows from an abandoned claim is decided where each kind is recovered.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, TypeVar

from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet
from django.db.models.functions import Now

from newsdesk.core import process_identity
from tasks.database import leases
from tasks.models import Batch, TransactionalMail
from tasks.providers.base import JournalRecord, KeepsJournal, Transport

#: Seconds. A worker's hard limit is as long (`task_time_limit`): a claim that is older is kept by nobody who can POST.
STALE_SECONDS = 300

Claimed = TypeVar("Claimed", Batch, TransactionalMail)


@dataclass(frozen=True, kw_only=True, slots=True)
class AbandonedClaim(Generic[Claimed]):
    """A claimed row whose worker is dead, or has been silent for longer than it may run."""

    row: Claimed
    #: Its process surely runs no more: only then may a journal be believed, which the process might still write.
    is_dead: bool
    #: Its lease ended with its database session. It may be cut off from the database alone, and in the middle of a POST.
    is_gone: bool

    @property
    def why(self) -> str:
        """Why the claim counts as abandoned, for logs and evidence."""
        if self.is_dead:
            return "its worker is dead"
        return (
            "its worker's database session is gone"
            if self.is_gone
            else f"its worker said nothing for {STALE_SECONDS} s"
        )

    @property
    def fact(self) -> dict[str, str]:
        """The same as a fact of Attempt.evidence."""
        return {"kind": "sweep", "why": self.why} | ({"session": "gone"} if self.is_gone and not self.is_dead else {})


def abandoned_claims(claimed: QuerySet[Claimed]) -> Iterator[AbandonedClaim[Claimed]]:
    """Those of the claimed rows whose worker is dead, gone or stale, by id; each process is looked at as its row is reached."""
    stale = Q(claimed_at__lt=Now() - timedelta(seconds=STALE_SECONDS))
    rows: Any = claimed.annotate(is_stale=ExpressionWrapper(stale, output_field=BooleanField())).order_by("pk")
    found = list(rows)
    gone = leases.lost({row.claimed_by for row in found})
    for row in found:
        is_dead, is_gone = process_identity.is_dead(leases.process_of(row.claimed_by)), row.claimed_by in gone
        if is_dead or is_gone or row.is_stale:
            yield AbandonedClaim(row=row, is_dead=is_dead, is_gone=is_gone)


def recover_from_journal(
    claim: AbandonedClaim[Claimed], *, transport: Transport, record: Callable[[JournalRecord], bool]
) -> bool:
    """Record what the transport's journal knows of a dead worker's request; False when it knows nothing that fits.

    `record` writes the outcome to the database; it returns False when the journal's deliveries are not the row's own.
    """
    attempt = claim.row.attempt
    if not (claim.is_dead and isinstance(transport, KeepsJournal)) or attempt is None:
        return False
    journal_record = transport.recall(attempt)
    if journal_record is None or not record(journal_record):
        return False
    transport.forget(attempt)
    return True
