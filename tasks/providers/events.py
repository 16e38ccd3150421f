"""What a provider reports, in the words of the domain: each provider's folder translates its own words into these."""

from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from newsdesk.core.errors import InputError

#: What is kept of texts a provider sends, in characters.
KIND_LENGTH = 30
URL_LENGTH = 4000
AGENT_LENGTH = 500
REASON_LENGTH = 500
ADDRESS_LENGTH = 320


class EventKind(StrEnum):
    """What happened to a message, as `tasks_event.kind` holds it."""

    #: The provider has the message in hand.
    PROCESSED = "processed"
    #: The receiving server took it. Nobody knows whether it lies in the inbox or among spam.
    DELIVERED = "delivered"
    #: The receiving server said "later"; the provider tries again.
    DEFERRED = "deferred"
    #: The address does not exist, or is closed for good: it is never mailed again.
    HARD_BOUNCE = "hard_bounce"
    #: This message was refused, not the address: full mailbox, blocked sender, too large.
    SOFT_BOUNCE = "soft_bounce"
    #: The provider did not even try: the address is on one of its lists, or the message is at fault (`DropCause`).
    DROPPED = "dropped"
    #: The reader called it spam. Not an unsubscribe: they are never mailed again by anybody here.
    COMPLAINT = "complaint"
    #: The reader left through a link or header of the provider's.
    UNSUBSCRIBED = "unsubscribed"
    #: Its images were fetched; by a reader or by a machine (`tasks.feedback.bot_detection`).
    OPENED = "opened"
    #: The provider itself says that a mail provider's machine fetched the images, and no reader.
    OPENED_BY_MACHINE = "opened_by_machine"
    #: A link was followed; by a reader or by a machine.
    CLICKED = "clicked"
    #: A word nobody knows, stored as "other:<the word>": it means nothing.
    OTHER = "other"


class DropCause(StrEnum):
    """Why a provider did not even try, where that says something about the reader."""

    #: It is no address.
    INVALID = "invalid"
    HARD_BOUNCE = "hard_bounce"
    COMPLAINT = "complaint"
    UNSUBSCRIBED = "unsubscribed"


class UnreadableBodyError(InputError, ValueError):
    """A webhook's body in which no event can be told at all."""


class ReportedEvent(NamedTuple):
    """One report. A tuple, since a receipt holds thousands of them."""

    #: 16 bytes that are the same for two reports of the same thing, whenever and however often they come.
    key: bytes
    #: A value of EventKind, or "other:<the provider's word>", at most KIND_LENGTH characters.
    kind: str
    #: Unix seconds; None when missing or absurd.
    at: int | None
    #: In lower case; may be empty.
    address: str
    send_id: int | None
    subscriber_id: int | None
    attempt: UUID | None
    url: str
    agent: str
    #: The receiving server's words, or the provider's.
    reason: str
    #: Of a DROPPED event; None where the reader is not to blame.
    drop_cause: DropCause | None = None
    #: The installation that sent it, as its request said; empty where it said nothing.
    installation: str = ""
    #: The provider's id of the request; empty where it is not told.
    request: str = ""
    #: It proves the acceptance of this recipient's mail alone: in SMTP those of one attempt fare differently.
    of_recipient: bool = False


class Parsed(NamedTuple):
    events: list[ReportedEvent]
    #: One line for each entry that is not an event at all.
    problems: list[str]
