"""What a row says of its reader, and which of two says wins."""

import enum


class State(enum.IntEnum):
    """From the best to the worst: of two, the greater wins, whatever order they come in."""

    ACTIVE = 0
    #: On the list, but opened and clicked nothing for so long, or bounced softly so often, that we stopped. No other service's
    #: words mean these two.
    SUNSET = 1
    SOFT_BOUNCE = 2
    #: Waits for a confirmation; never mailed.
    PENDING = 3
    UNSUBSCRIBED = 4
    #: Blocked by the list's owner.
    MANUAL = 5
    INVALID = 6
    HARD_BOUNCE = 7
    COMPLAINT = 8

    @property
    def word(self) -> str:
        """As reports and suppressions spell it."""
        return self.name.lower()
