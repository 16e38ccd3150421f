"""Recovery of transactional mails: claims of dead workers, and due mails whose task message was lost."""

from datetime import timedelta

import structlog
from django.db.models.functions import Now

from tasks import claims, queue
from tasks.claims import AbandonedClaim
from tasks.models import TransactionalMail
from tasks.providers.base import JournalRecord, Transport, Unknown
from tasks.transactional.alarm_transport import transport_for
from tasks.transactional.submitting import record

log = structlog.get_logger(__name__)

#: A healthy worker needs less: the task message of a mail that is due for longer is lost.
_GRACE = timedelta(seconds=10)
_AT_ONCE = 200


def recover(*, transport: Transport, wake_all: bool = False) -> None:
    """Settle abandoned claims and enqueue mails that are due. `wake_all`: also those that became due just now."""
    release_abandoned(transport=transport)
    wake_due(wake_all=wake_all)


def release_abandoned(*, transport: Transport) -> None:
    """Submitting and abandoned: unknown, unless the transport's journal knows. It is not sent again, but for one about an alarm."""
    mails = TransactionalMail.objects.filter(status=TransactionalMail.Status.SUBMITTING)
    for claim in claims.abandoned_claims(mails.only("attempt", "attempts", "claimed_by", "kind")):
        used = transport_for(claim.row.kind, transport, tries=claim.row.attempts)
        if not _recover_from_journal(claim, used):
            _mark_unknown(claim)
            log.warning("mail_claim_released", mail=claim.row.pk, why=claim.why)


def _recover_from_journal(claim: AbandonedClaim[TransactionalMail], transport: Transport) -> bool:
    mail = claim.row
    attempt = mail.attempt
    assert attempt is not None

    def record_journal(journal_record: JournalRecord) -> bool:
        if len(journal_record.deliveries) != 1:
            return False
        record(mail.pk, attempt, journal_record.outcome, kind=mail.kind, tries=mail.attempts)
        return True

    return claims.recover_from_journal(claim, transport=transport, record=record_journal)


def _mark_unknown(claim: AbandonedClaim[TransactionalMail]) -> None:
    mail = claim.row
    assert mail.attempt is not None
    unknown = Unknown(message=f"Nobody knows whether it went out: {claim.why}.")
    record(mail.pk, mail.attempt, unknown, kind=mail.kind, tries=mail.attempts)


def wake_due(*, wake_all: bool = False) -> int:
    """Enqueue due mails, unless messages about mails still wait in the broker; how many."""
    due = TransactionalMail.objects.filter(
        status=TransactionalMail.Status.PENDING, not_before__lte=Now() - (timedelta() if wake_all else _GRACE)
    )
    ids = list(due.order_by("not_before", "pk").values_list("pk", flat=True)[:_AT_ONCE])
    if not ids or queue.waiting_mails() != 0:
        return 0
    log.info("mails_enqueued_again", mails=len(ids))
    return sum(1 for mail_id in ids if queue.enqueue_mail(mail_id))
