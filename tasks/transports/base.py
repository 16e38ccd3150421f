"""What a transport is given, and what it must answer. A provider is one file behind `Transport`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """What is the same for every recipient of a request."""

    from_email: str
    from_name: str
    reply_to: str
    subject: str
    html: str
    text: str
    #: Message headers beside those every transport writes itself; ASCII.
    headers: Mapping[str, str] = field(default_factory=dict)
    categories: tuple[str, ...] = ()
    tracking: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipient:
    """One personalisation. `delivery` is "<send id>.<subscriber id>", or empty for a probe."""

    email: str
    name: str
    delivery: str
    substitutions: Mapping[str, str]
    #: For List-Unsubscribe (RFC 8058); empty where there is nothing to unsubscribe from.
    unsubscribe_url: str = ""


class Reason(StrEnum):
    """Why a provider surely did not accept a request, and what follows from it."""

    #: No byte of the body left this machine: try again.
    NOT_SENT = "not_sent"
    #: Recipients or fields are wrong: set the named ones aside, or stop.
    BAD_REQUEST = "bad_request"
    #: The key, the sender or the credits are not good: stop at once.
    NOT_ALLOWED = "not_allowed"
    #: Too fast: wait.
    TOO_MANY = "too_many"
    #: The provider will not take it as it is (404, 405, 413, 415): stop.
    NOT_ACCEPTABLE = "not_acceptable"


@dataclass(frozen=True, kw_only=True, slots=True)
class Accepted:
    http_status: int
    provider_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    reason: Reason
    message: str
    http_status: int | None = None
    #: Seconds the provider asked to wait; None = it did not say.
    retry_after: float | None = None
    #: Positions of the recipients at fault, in the request's order, each with the provider's words.
    recipients_at_fault: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Unknown:
    """It may have been accepted: only evidence can tell."""

    message: str
    http_status: int | None = None


Outcome = Accepted | Refused | Unknown


class Transport(Protocol):
    @property
    def name(self) -> str:
        """The key requests are made with, for example "sendgrid:<fingerprint>"; at most 60 characters."""

    def encode(self, message: Message, recipients: Sequence[Recipient], *, attempt: UUID) -> bytes:
        """Everything that can be done before the fence. At most 1000 recipients."""

    def post(self, body: bytes) -> Outcome:
        """Send the body once, without any retry, within 60 s in total. Never raises: what it cannot tell is Unknown."""
