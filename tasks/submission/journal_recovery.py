"""The outcome of a dead worker's request, as the transport's journal has it, recorded in its place."""

from dataclasses import dataclass
from uuid import UUID

import structlog
from django.db import connection

from tasks.models import Batch
from tasks.providers.base import JournalRecord
from tasks.submission.claiming import Claim
from tasks.submission.outcomes import record

log = structlog.get_logger(__name__)

#: The members of the request, as its fence left them: it wrote the exclusions, and nobody else has the batch.
_MEMBERS = """
SELECT d.subscriber_id FROM tasks_delivery d
 WHERE d.send_id = %s AND d.batch_id = %s
   AND NOT EXISTS (SELECT 1 FROM tasks_exclusion x WHERE x.send_id = d.send_id AND x.subscriber_id = d.subscriber_id)
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class _JournalMembers:
    subscriber_ids: tuple[int, ...]


def record_journal(batch_id: int, attempt: UUID, journal_record: JournalRecord, *, transport: str) -> bool:
    """Record the outcome of the attempt; False when the journal's deliveries are not the batch's, or it has moved on.

    `transport`: its name with the fingerprint.
    """
    batch = Batch.objects.select_related("send__edition").filter(pk=batch_id, attempt=attempt).first()
    if batch is None:
        return False
    members = _members(batch, journal_record)
    if members is None:
        log.error("journal_does_not_fit", batch=batch_id, attempt=str(attempt))
        return False
    claim = Claim(
        send_id=batch.send_id,
        batch_id=batch_id,
        variant_id=batch.variant_id,
        approval_id=batch.send.approval_id,
        attempt=attempt,
        number=batch.attempts,
        list_ids=(),
        edition_id=batch.send.edition_id,
        publication_id=batch.send.edition.publication_id,
        mailbox_domain=batch.mailbox_domain,
    )
    record(claim, _JournalMembers(subscriber_ids=members), journal_record.outcome, transport=transport)
    return True


def _members(batch: Batch, journal_record: JournalRecord) -> tuple[int, ...] | None:
    """Subscriber ids in the order of the request; None unless they are exactly the batch's members."""
    with connection.cursor() as cursor:
        cursor.execute(_MEMBERS, [batch.send_id, batch.pk])
        members = {subscriber_id for (subscriber_id,) in cursor.fetchall()}
    by_name = {f"{batch.send_id}.{member}": member for member in members}
    deliveries = journal_record.deliveries
    if by_name.keys() != set(deliveries) or len(deliveries) != len(members):
        return None
    return tuple(by_name[name] for name in deliveries)
