"""What a row says of its reader, and which of two says wins."""

import enum


class State(enum.IntEnum):
    """From the best to the worst: of two, the greater wins, whatever order they come in."""

    ACTIVE = 0
    #: On the list, but bounced softly so often that we stopped; no other service's word means it.
    SOFT_BOUNCE = 1
    #: Waits for a confirmation; never mailed.
    PENDING = 2
    UNSUBSCRIBED = 3
    #: Blocked by the list's owner.
    MANUAL = 4
    INVALID = 5
    HARD_BOUNCE = 6
    COMPLAINT = 7

    @property
    def word(self) -> str:
        """As reports and suppressions spell it."""
        return self.name.lower()
