"""What a row says of its reader, and which of two says wins."""

import enum


class State(enum.IntEnum):
    """From the best to the worst: of two, the greater wins, whatever order they come in."""

    ACTIVE = 0
    #: Waits for a confirmation; never mailed.
    PENDING = 1
    UNSUBSCRIBED = 2
    #: Blocked by the list's owner.
    MANUAL = 3
    INVALID = 4
    HARD_BOUNCE = 5
    COMPLAINT = 6

    @property
    def word(self) -> str:
        """As reports and suppressions spell it."""
        return self.name.lower()
