"""What must be so before silence proves that the provider refused a request (docs/adr/0008)."""

from dataclasses import dataclass
from uuid import UUID

#: Passes of reconciliation in which an attempt must have been silent.
PASSES = 5
#: Passes in which the provider's activity feed must have known no message of it, for a grace that is short.
FEED_PASSES = 2
#: Requests accepted later that must have been heard of, and for which share of their readers.
LATER_REQUESTS = 3
HEARD_SHARE = 0.99


@dataclass(frozen=True, kw_only=True, slots=True)
class Doubt:
    """An attempt whose outcome is unknown, and what its silence is judged by. `age` in seconds."""

    attempt: UUID
    batch_id: int
    send_id: int
    passes: int
    age: float
    all_applied: bool
    enabled: bool
    #: No webhook call since was answered anything but 2xx.
    webhook_accepted: bool
    #: Nothing that was accepted around the same time is silent too, as it would be while nobody could reach us.
    others_heard: bool
    later_heard: int
    #: Passes in which the provider's activity feed, where it has one, knew no message of it and all else held.
    feed_passes: int

    @property
    def is_silence_meaningful(self) -> bool:
        """Whether an event would have reached us, had the request been accepted."""
        return self.enabled and self.webhook_accepted and self.others_heard and self.all_applied

    def proves_refusal(self, grace: float) -> bool:
        """Whether the silence has lasted long enough, `grace` in seconds, while others were heard of."""
        return (
            self.is_silence_meaningful
            and self.age > grace
            and self.passes >= PASSES
            and self.later_heard >= LATER_REQUESTS
        )
