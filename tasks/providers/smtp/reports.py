"""What delivery reports about our mails mean: each becomes a line of a receipt, and a receipt becomes events.

A receipt holds what was read and not the mail: a mail would bring with it what it returns. Its lines have the names that
SendGrid's have, by which what is held of one person is found (`tasks.privacy.receipt_entries`).
"""

from collections.abc import Callable
from contextlib import suppress
from hashlib import blake2b
from typing import Any
from uuid import UUID

import orjson

from tasks.mime.envelope_ids import EnvelopeId, address_digest
from tasks.providers.events import (
    ADDRESS_LENGTH,
    REASON_LENGTH,
    EventKind,
    Parsed,
    ReportedEvent,
    UnreadableBodyError,
)
from tasks.providers.smtp.delivery_status import DeliveryReport, RecipientStatus
from tasks.providers.smtp.status_codes import no_mailbox

#: Actions of RFC 3464 §2.3.3; a failure is told apart by its status.
_KINDS: dict[str, EventKind] = {
    "delayed": EventKind.DEFERRED,
    "delivered": EventKind.DELIVERED,
    "relayed": EventKind.DELIVERED,
    "expanded": EventKind.DELIVERED,
    "failed": EventKind.SOFT_BOUNCE,
}
_WORDS = frozenset(kind.value for kind in (*_KINDS.values(), EventKind.HARD_BOUNCE))


def lines_of(report: DeliveryReport, envelope: EnvelopeId, *, current_address: str) -> list[dict[str, Any]]:
    """The lines of a receipt that a report about this mail becomes; one for each kind of event.

    `current_address`: the reader's, as it stands in the database now; empty where they are gone.
    """
    lines: dict[EventKind, dict[str, Any]] = {}
    for recipient in report.recipients:
        kind = _kind(recipient, envelope)
        if kind is None or kind in lines:
            continue
        lines[kind] = {
            "event": kind.value,
            "email": _address(recipient, envelope, current_address),
            "nd_delivery": f"{envelope.send_id}.{envelope.subscriber_id}",
            "nd_attempt": str(envelope.attempt),
            "reason": _reason(recipient),
        }
    return list(lines.values())


def _kind(recipient: RecipientStatus, envelope: EnvelopeId) -> EventKind | None:
    """As the reply to RCPT would be judged: only a mailbox that does not exist is given up for good.

    It must be the reader's own: an address that they have their mail forwarded to says nothing about theirs.
    """
    kind = _KINDS.get(recipient.action)
    if kind is EventKind.SOFT_BOUNCE and no_mailbox(recipient.status) and _is_readers(recipient, envelope):
        return EventKind.HARD_BOUNCE
    return kind


def _reason(recipient: RecipientStatus) -> str:
    """The server's words, as after RCPT; with the code before them where they lack it."""
    words = recipient.said if recipient.status in recipient.said else f"{recipient.status} {recipient.said}"
    return words.strip()[:REASON_LENGTH]


def _is_readers(recipient: RecipientStatus, envelope: EnvelopeId) -> bool:
    return address_digest(recipient.address) == envelope.address


def _address(recipient: RecipientStatus, envelope: EnvelopeId, current: str) -> str:
    """The address the mail went to: as we write it where it is still the reader's, else as the report does, if it is that one."""
    if current and address_digest(current) == envelope.address:
        return current.lower()[:ADDRESS_LENGTH]
    return recipient.address.lower()[:ADDRESS_LENGTH] if _is_readers(recipient, envelope) else ""


class MailedReports:
    """A receipt of delivery reports, in the words of the domain."""

    def parse(self, body: bytes) -> Parsed:
        """Raises UnreadableBodyError for a body that is none of ours."""
        try:
            lines = orjson.loads(body)
            return Parsed([_event(line) for line in lines if isinstance(line, dict)], [])
        except (orjson.JSONDecodeError, TypeError, ValueError, KeyError) as error:
            raise UnreadableBodyError(f"the receipt is not one of delivery reports: {error}") from error


def _event(line: dict[str, Any]) -> ReportedEvent:
    get: Callable[[str], Any] = line.get
    send_id, _, subscriber_id = str(line["nd_delivery"]).partition(".")
    kind = str(get("event"))
    if kind not in _WORDS:
        raise ValueError(f"{kind!r} is no kind of event that a mail server reports")
    attempt: UUID | None = None
    with suppress(ValueError):
        attempt = UUID(str(get("nd_attempt")))
    # Without the time: a server says each hour that it still tries, and whoever has the id of one mail can say anything of it.
    named = f"{send_id}.{subscriber_id}\0{attempt}\0{kind}"
    return ReportedEvent(
        key=blake2b(named.encode(), digest_size=16).digest(),
        kind=kind,
        at=None,
        address=str(get("email") or ""),
        send_id=int(send_id),
        subscriber_id=int(subscriber_id),
        attempt=attempt,
        url="",
        agent="",
        reason=str(get("reason") or ""),
        of_recipient=True,
    )
