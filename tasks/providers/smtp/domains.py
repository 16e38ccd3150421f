"""Telling from a server's replies that one mailbox provider puts its readers off, while those of others are taken.

A relay that looks at the receiving server before it takes a message, or a provider that limits what it takes for each domain,
answers 421, 450 or 451 to all readers of that domain. They are not asked for one after another: after a few in a row the rest
of them waits, and the request goes on with the others.
"""

import re
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property

from tasks.mime.messages import MimeMessage
from tasks.providers.base import PutOffDomain
from tasks.providers.smtp.connection import Reply

#: So many readers of a domain who are put off in a row, and the rest of them waits.
DOMAIN_IN_A_ROW = 3
#: Said of one mailbox (RFC 3463), or by a greylisting server to whoever it sees for the first time (RFC 6647), often with how long
#: to stay away: that reader waits, and the next one has to be asked for as well.
_OF_ONE_READER = re.compile(
    r"[45]\.[12]\.\d|.*(?:gr[ae]y.?list|\b(?:in|after|for) \d+ ?(?:s\b|sec|m\b|min)|\b\d+:\d\d:\d\d\b)", re.IGNORECASE
)


class DomainReplies:
    """The domains of one request's readers, and what was said to them in a row."""

    def __init__(self, messages: Sequence[MimeMessage], accepted: AbstractSet[int]) -> None:
        """`accepted`: positions that the server has taken, as they become more. While nobody is put off nothing is looked at."""
        self._messages = messages
        self._accepted = accepted
        self._in_a_row: dict[str, int] = {}
        self._last_words: dict[str, str] = {}
        #: Those that are not asked for any more.
        self._closed: set[str] = set()

    @cached_property
    def _domains(self) -> list[str]:
        return [message.address.rpartition("@")[2].lower() for message in self._messages]

    @cached_property
    def are_one(self) -> bool:
        """Whether all readers are at the same domain: what it says cannot be told from what the server says of itself."""
        return len(set(self._domains) - {""}) == 1

    def waits(self, position: int) -> bool:
        """Whether this reader is not to be asked for."""
        return bool(self._closed) and self._domains[position] in self._closed

    def accept(self, position: int) -> None:
        """The server took this reader's message."""
        if self._in_a_row:
            self._in_a_row.pop(self._domains[position], None)

    def put_off(self, position: int, reply: Reply) -> None:
        """The server said "later" to this reader."""
        if _OF_ONE_READER.match(reply.text):
            return
        domain = self._domains[position]
        self._in_a_row[domain] = self._in_a_row.get(domain, 0) + 1
        self._last_words[domain] = str(reply)
        # Where nobody else waits for them, a domain that has taken many is asked for more: it may greylist without saying so.
        limit = max(DOMAIN_IN_A_ROW, 2 * len(self._accepted)) if self.are_one else DOMAIN_IN_A_ROW
        if self._in_a_row[domain] >= limit:
            self._closed.add(domain)

    def has_refused(self, position: int) -> bool:
        """Whether the last that was said to a reader of this one's domain was "later"."""
        return bool(self._in_a_row) and self._domains[position] in self._in_a_row

    def put_off_domains(self, waiting: Iterable[int]) -> dict[str, PutOffDomain]:
        """The domains whose readers have to wait. `waiting`: positions that were put off or not tried."""
        members: dict[str, set[int]] = {}
        for position in waiting if self._closed else ():
            if self.waits(position):
                members.setdefault(self._domains[position], set()).add(position)
        fared_well = {self._domains[position] for position in self._accepted} if members else set()
        return {
            domain: PutOffDomain(
                members=frozenset(positions),
                words=self._last_words[domain],
                some_accepted=domain in fared_well,
            )
            for domain, positions in members.items()
        }
