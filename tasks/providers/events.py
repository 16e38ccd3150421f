"""What a provider reports, in the words of the domain: each provider's folder translates its own into these."""

from typing import NamedTuple
from uuid import UUID


class UnreadableBodyError(ValueError):
    """The body is not JSON, or holds neither an array nor an object: no event in it can be told."""


class ReportedEvent(NamedTuple):
    """One report. A tuple, since a receipt holds thousands of them."""

    #: blake2b-128 of (nd_delivery or address, kind, timestamp, url; of an open or click also the agent): what makes two
    #: reports the same one.
    key: bytes
    #: The provider's word, at most 30 characters, with two words of ours: a bounce that is not of type "bounce" is
    #: `blocked` (only that type is permanent), and an open that a mail provider's machine made is `machine_open`.
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
    #: The receiving server's words, or why SendGrid dropped it.
    reason: str


class Parsed(NamedTuple):
    events: list[ReportedEvent]
    #: One line for each entry that is not an event at all.
    problems: list[str]
