"""Refusals in a row, with nothing accepted between them: so many are about us, and not about the readers."""

from tasks.providers.smtp.connection import Reply
from tasks.providers.smtp.domains import DomainReplies

#: A reply to a recipient that is about the mailbox (RFC 3463: x.1.y, x.2.y) is never counted, nor one that says "later" to this very
#: reader, as a greylisting server does (RFC 6647): with 4.7.y, or with 450 or 451 and no code at all.
REFUSALS_IN_A_ROW = 20
#: The text is the same for everybody: a server that refuses it three times in a row refuses it.
CONTENT_REFUSALS_IN_A_ROW = 3
#: Temporary ones, to readers of more than one domain (`DomainReplies` looks at each); and connections in a row that the server
#: ended with 421 before it took anything.
TEMPORARY_IN_A_ROW = 10


class RefusalStreak:
    """Those who were refused in a row, by their position in the request. One of another kind begins anew."""

    def __init__(self, domains: DomainReplies) -> None:
        self.positions: list[int] = []
        self._domains = domains
        #: (permanent, of the text)
        self._kind = (False, False)

    def end(self) -> None:
        """Something was accepted."""
        self.positions.clear()

    def count(self, position: int, reply: Reply, *, content: bool) -> bool:
        """One more in a row; whether so many are not about their readers."""
        permanent = reply.code >= 500
        if self._kind != (permanent, content):
            self.positions.clear()
        self._kind = (permanent, content)
        self.positions.append(position)
        if permanent:
            return len(self.positions) >= (CONTENT_REFUSALS_IN_A_ROW if content else REFUSALS_IN_A_ROW)
        # Those whose domain waits have their reason.
        self.positions = [] if self._domains.are_one else [at for at in self.positions if not self._domains.waits(at)]
        return len(self.positions) >= TEMPORARY_IN_A_ROW
