"""Telling from a server's replies that one mailbox provider puts its readers off, while those of others are taken.

A relay that looks at the receiving server before it takes a message, or a provider that limits what it takes for each domain,
answers 421, 450 or 451 to all readers of that domain. They are not asked for one after another: after a few in a row the rest
of them waits, and the request goes on with the others.
"""

import re
from collections.abc import Iterable, Sequence

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

    def __init__(self, messages: Sequence[MimeMessage]) -> None:
        self._domains = [message.address.rpartition("@")[2].lower() for message in messages]
        self._alone = len(set(self._domains) - {""}) == 1
        self._in_a_row: dict[str, int] = {}
        self._last_words: dict[str, str] = {}
        #: Those that are not asked for any more.
        self._closed: set[str] = set()
        self._accepted: dict[str, int] = {}

    @property
    def are_one(self) -> bool:
        """Whether all readers are at the same domain: what it says cannot be told from what the server says of itself."""
        return self._alone

    def waits(self, position: int) -> bool:
        """Whether this reader is not to be asked for."""
        return self._domains[position] in self._closed

    def accept(self, position: int) -> None:
        """The server took this reader's message."""
        domain = self._domains[position]
        self._in_a_row.pop(domain, None)
        self._accepted[domain] = self._accepted.get(domain, 0) + 1

    def put_off(self, position: int, reply: Reply) -> None:
        """The server said "later" to this reader."""
        if _OF_ONE_READER.match(reply.text):
            return
        domain = self._domains[position]
        self._in_a_row[domain] = self._in_a_row.get(domain, 0) + 1
        self._last_words[domain] = str(reply)
        # Where nobody else waits for them, a domain that has taken many is asked for more: it may greylist without saying so.
        limit = max(DOMAIN_IN_A_ROW, 2 * self._accepted.get(domain, 0)) if self._alone else DOMAIN_IN_A_ROW
        if self._in_a_row[domain] >= limit:
            self._closed.add(domain)

    def has_refused(self, position: int) -> bool:
        """Whether the last that was said to a reader of this one's domain was "later"."""
        return self._domains[position] in self._in_a_row

    def put_off_domains(self, waiting: Iterable[int]) -> dict[str, PutOffDomain]:
        """The domains whose readers have to wait. `waiting`: positions that were put off or not tried."""
        members: dict[str, set[int]] = {}
        for position in waiting:
            if self.waits(position):
                members.setdefault(self._domains[position], set()).add(position)
        return {
            domain: PutOffDomain(
                members=frozenset(positions),
                words=self._last_words[domain],
                some_accepted=bool(self._accepted.get(domain)),
            )
            for domain, positions in members.items()
        }
