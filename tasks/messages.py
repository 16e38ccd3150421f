"""What is sent: a message, which is the same for everybody, and each recipient's own values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


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
    #: Ours, so that reports about it are told from those about others' mail on the same account; empty = not said.
    installation: str = ""


class Recipient(NamedTuple):
    """One personalisation: a tuple, since a million of them are made. Name its fields when you make one."""

    email: str
    name: str
    #: "<send id>.<subscriber id>", or empty for a message outside any send.
    delivery: str
    #: token → value
    substitutions: Mapping[str, str]
    #: For List-Unsubscribe (RFC 8058); empty where there is nothing to unsubscribe from.
    unsubscribe_url: str = ""
