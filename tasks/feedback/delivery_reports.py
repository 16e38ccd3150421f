"""Taking in delivery reports: mails that mail servers write about mails of ours (RFC 3464), from a mailbox or a pipe.

Those that name a mail of ours by its sealed id become one receipt, which is applied like a webhook's: once, whatever comes
twice. All others are counted and change nothing, for everybody can write such a mail.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import orjson
import structlog
from django.db import transaction

from tasks import queue
from tasks.database import high_water
from tasks.database.statements import run
from tasks.feedback import foreign_events, inbox
from tasks.mime.envelope_ids import EnvelopeId
from tasks.providers.smtp import delivery_status, reports
from tasks.providers.smtp.delivery_status import DeliveryReport
from tasks.providers.smtp.provider import envelope_ids

log = structlog.get_logger(__name__)

#: The provider that receipts of reports are kept for.
PROVIDER = "smtp"
_ADDRESSES = "SELECT id, email FROM subscribers_subscriber WHERE id = ANY(%b::bigint[])"


@dataclass(frozen=True, kw_only=True)
class TakenIn:
    """What became of some mails."""

    #: Reports about mails of ours.
    reports: int = 0
    #: What they say, each kind once for a mail of ours.
    events: int = 0
    #: Reports that name none of ours, or say nothing of it.
    foreign: int = 0
    #: Mails that are no delivery reports.
    others: int = 0
    #: Where they are kept, the last of them; None when there is nothing to keep.
    receipt: int | None = None

    def __add__(self, later: "TakenIn") -> "TakenIn":
        return TakenIn(
            reports=self.reports + later.reports,
            events=self.events + later.events,
            foreign=self.foreign + later.foreign,
            others=self.others + later.others,
            receipt=later.receipt or self.receipt,
        )


@transaction.atomic
def take_in(mails: Iterable[bytes]) -> TakenIn:
    """Take in mails, of each no more than `delivery_status.MOST_BYTES`. Raises the database's errors: then nothing was kept."""
    read = [delivery_status.parse(mail) for mail in mails]
    found = [report for report in read if report is not None]
    installation = high_water.installation()
    named = [(report, envelope) for report in found if (envelope := _envelope(report, installation)) is not None]
    of_each = _lines(named)
    lines = [line for one in of_each for line in one]
    ours = sum(1 for one in of_each if one)
    foreign = len(found) - ours
    receipt = None
    if lines:
        receipt = inbox.store(BytesIO(orjson.dumps(lines)), provider=PROVIDER)
    if foreign:
        foreign_events.count(PROVIDER, foreign)
        log.warning("foreign_reports_ignored", reports=foreign)
    if receipt is not None:
        number = receipt
        queue.on_commit(lambda: queue.enqueue_receipt(number))
    taken = TakenIn(reports=ours, events=len(lines), foreign=foreign, others=len(read) - len(found), receipt=receipt)
    log.info("reports_taken_in", reports=taken.reports, events=taken.events, foreign=foreign, others=taken.others)
    return taken


def _envelope(report: DeliveryReport, installation: str) -> EnvelopeId | None:
    """Which mail of ours it is about: by the envelope's id, or by that in the headers that came back."""
    opened = (envelope_ids().open(sealed, installation=installation) for sealed in report.envelope_ids)
    return next((envelope for envelope in opened if envelope is not None), None)


def _lines(named: Sequence[tuple[DeliveryReport, EnvelopeId]]) -> list[list[dict[str, Any]]]:
    addresses = dict(run(_ADDRESSES, (sorted({envelope.subscriber_id for _, envelope in named}),)))
    return [
        reports.lines_of(report, envelope, current_address=addresses.get(envelope.subscriber_id, ""))
        for report, envelope in named
    ]
