"""What a provider is: a transport, and where it has them a webhook and suppression lists (docs/how-to/add-a-provider.md)."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, BinaryIO, NamedTuple, Protocol, runtime_checkable
from uuid import UUID

from newsdesk.core.errors import ProviderError
from tasks.messages import Message, Recipient
from tasks.providers.events import EventKind, Parsed


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
    #: None where the provider speaks no HTTP.
    http_status: int | None
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


class PutOffDomain(NamedTuple):
    """A mailbox provider that has put off so many of its readers in a row that the others were not tried."""

    #: Positions of its readers who were put off or not tried.
    members: frozenset[int]
    #: The server's last words.
    words: str
    #: Whether any of its readers was accepted in the same request.
    some_accepted: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Partial:
    """Recipients had different outcomes, as in SMTP. Positions in the request's order; each is in exactly one group."""

    accepted: frozenset[int]
    #: For good, each with the provider's words.
    refused: Mapping[int, str]
    #: A temporary no to this very recipient, each with the provider's words.
    put_off: Mapping[int, str]
    #: Surely not accepted, for a reason that is not theirs.
    not_tried: frozenset[int]
    unknown: frozenset[int]
    #: Why it ended before all were tried, and what follows from it; None = it did not.
    reason: Reason | None = None
    message: str = ""
    #: Seconds until those that were not tried may go on; None = as after any refusal.
    retry_after: float | None = None
    #: Those of the refused whose mailbox does not exist, as the server says.
    no_mailbox: frozenset[int] = frozenset()
    #: Those of the refused for whom the server was not asked: their address cannot be written in a mail.
    not_asked: frozenset[int] = frozenset()
    #: By the domain of the readers' addresses, in lower case: who waits for their mailbox provider, and for nothing else.
    put_off_domains: Mapping[str, PutOffDomain] = field(default_factory=dict)
    #: Those of the put off at whom the connection ended without a word: a request of such alone looks like a server that is away.
    hung_up_at: frozenset[int] = frozenset()


Outcome = Accepted | Refused | Partial | Unknown


@dataclass(frozen=True, kw_only=True, slots=True)
class JournalRecord:
    """What a dead process had learned of its request; `deliveries` name the positions of the outcome."""

    deliveries: tuple[str, ...]
    outcome: Outcome


class Transport(Protocol):
    @property
    def name(self) -> str:
        """The key requests are made with, for example "sendgrid:<fingerprint>"; at most 60 characters."""

    @property
    def reports(self) -> bool:
        """Whether events tell later what became of a request. Only then can silence ever prove a refusal."""

    def encode(self, message: Message, recipients: Sequence[Recipient], *, attempt: UUID) -> Any:
        """Everything that can be done before the fence. At most 1000 recipients. May raise; nothing has been sent."""

    def post(self, body: Any) -> Outcome:
        """Send what `encode` returned, each recipient at most once, within 60 s in total.

        Never raises: what it cannot tell is Unknown.
        """


@runtime_checkable
class KeepsJournal(Protocol):
    """A transport that notes each recipient's outcome where the death of its process does not reach."""

    def recall(self, attempt: UUID) -> JournalRecord | None:
        """What is known of a request whose process is dead; None = nothing that could be relied on. Never raises."""

    def forget(self, attempt: UUID) -> None:
        """The outcome is in the database. Never raises."""


class Webhook(Protocol):
    """How a provider posts events to `/webhooks/<folder>`."""

    def is_configured(self) -> bool:
        """Whether there is any key by which a call can be verified; without one no call is taken."""

    def is_authentic(self, body: BinaryIO, headers: Mapping[str, str]) -> bool:
        """Whether the provider posted these very bytes; header names in any case. Raises nothing but the file's OSError.

        The file stands at its beginning. Of a large body not all should be in memory: many come at once.
        """

    def parse(self, body: bytes) -> Parsed:
        """Its words in ours. Raises UnreadableBodyError when no event can be told."""


class MailReports(Protocol):
    """What a provider reports by mail, once it was taken in as a receipt (`tasks.feedback.delivery_reports`)."""

    def parse(self, body: bytes) -> Parsed:
        """A receipt in our words. Raises UnreadableBodyError when no event can be told."""


@dataclass(frozen=True, kw_only=True)
class SignedCall:
    """What tells one signed webhook call from all others."""

    #: 16 bytes. The same for each copy of the call, however its signature is written.
    digest: bytes
    #: Unix seconds, by the clock of whoever signed it.
    signed_at: int


@runtime_checkable
class TellsCallsApart(Protocol):
    """A webhook whose calls carry a signed time: a captured one that is posted again is recognised."""

    def call(self, headers: Mapping[str, str]) -> SignedCall | None:
        """Which call this is, once it is authentic; None when that is unknown. Never raises."""


@dataclass(frozen=True, kw_only=True)
class SuppressionList:
    """One of the lists of addresses that a provider no longer mails by itself."""

    #: As the provider calls it, and as the numbers of a suppression sync are kept.
    name: str
    #: Why we suppress who stands on it: a value of Suppression.Reason. For "unsubscribed" readers leave the publications
    #: they are on; for all others the address is mailed no more.
    reason: str
    #: The stored events by which we should have heard of it.
    kinds: tuple[EventKind, ...]


class SuppressedAddress(NamedTuple):
    #: In lower case.
    address: str
    #: Unix seconds.
    created: int
    #: The receiving server's words; empty where the provider keeps none.
    reason: str


class ListUnavailableError(ProviderError):
    """The provider did not give a page of a list; the words say why."""


class SuppressionLists(Protocol):
    """The lists of a provider's account, read every night: what a webhook did not tell stands there."""

    lists: tuple[SuppressionList, ...]
    #: The most entries of a page: a shorter one is the last.
    page_size: int

    def page(
        self, transport: Any, name: str, *, since: int | None, offset: int, wait: Callable[[float], None]
    ) -> list[SuppressedAddress]:
        """Entries of a list from `offset` on, the newest first, of those made at `since` (Unix seconds) or later.

        `transport` is what `make_transport` made; `wait` sleeps for so many seconds. Raises ListUnavailableError.
        """


class ActivityUnavailableError(ProviderError):
    """The provider's feed did not answer: nothing is known of any request. The words say why."""


class NoActivityError(ActivityUnavailableError):
    """The account, or the key, has no feed: asking again soon is no use."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ActivityQuestion:
    """Whether the provider knows a message of one request."""

    attempt: UUID
    #: Some of its recipients', at least one.
    addresses: tuple[str, ...]
    #: When it was begun; with a timezone.
    begun_at: datetime
    #: What the provider called it when it accepted it; empty where the answer was lost.
    provider_id: str = ""


class ActivityAnswer(NamedTuple):
    """Attempts that are in neither are undecided."""

    #: The provider knows a message of the attempt.
    found: frozenset[UUID]
    #: It surely knows none for any of the addresses.
    absent: frozenset[UUID]


class ActivityFeed(Protocol):
    """The provider's own record of the messages it accepted, apart from what it reports."""

    #: What it answers in a minute, whoever asks: four at least, for half of them are asked at a time.
    requests_a_minute: int

    def ask(
        self,
        transport: Any,
        questions: Sequence[ActivityQuestion],
        *,
        others: Collection[str],
        installation: str,
        requests: int,
    ) -> ActivityAnswer:
        """Ask with at most so many requests, each of which ends in seconds. `transport` is what `make_transport` made.

        `others` are what the provider called requests that are certainly none of the undecided; a message of another installation than
        `installation` proves nothing. Raises ActivityUnavailableError, and NoActivityError of its kind.
        """


class ErasureAnswer(NamedTuple):
    #: Of HTTP; 0 where there was no answer: then `body` says why.
    status: int
    body: str

    @property
    def accepted(self) -> bool:
        return 200 <= self.status < 300


class ContactErasure(Protocol):
    """How a provider is asked to forget an address."""

    def erase(self, transport: Any, address: str) -> ErasureAnswer:
        """Ask once; `transport` is what `make_transport` made. Never raises; may be asked again."""


@dataclass(frozen=True, kw_only=True)
class Provider:
    """All that is known of a provider, as the `provider.py` of its folder gives it."""

    #: For people.
    title: str
    #: From the settings; called once for each process. May raise what the settings make impossible.
    make_transport: Callable[[], Transport]
    #: None: it posts no reports.
    webhook: Webhook | None = None
    #: None: it sends no reports by mail either.
    mail_reports: MailReports | None = None
    #: None: it keeps no lists, or does not give them.
    suppression_lists: SuppressionLists | None = None
    #: None: it keeps nothing of a person, or cannot be asked to forget them.
    contact_erasure: ContactErasure | None = None
    #: None: it keeps no record of messages that could be asked.
    activity_feed: ActivityFeed | None = None
