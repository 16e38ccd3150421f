"""What must hold before silence proves that the provider refused a request (docs/adr/0008)."""

from dataclasses import dataclass
from uuid import UUID

PASSES = 5
LATER_REQUESTS = 3
HEARD_SHARE = 0.99


@dataclass(frozen=True, kw_only=True, slots=True)
class Doubt:
    """An attempt without an outcome, and how far its silence speaks. `age` in seconds."""

    attempt: UUID
    batch_id: int
    send_id: int
    passes: int
    age: float
    all_applied: bool
    enabled: bool
    webhook_kept: bool
    #: Nothing that was accepted around the same time is silent too, as it would be while nobody could reach us.
    others_heard: bool
    later_heard: int

    @property
    def may_speak(self) -> bool:
        return self.enabled and self.webhook_kept and self.others_heard and self.all_applied

    def proves_refusal(self, grace: float) -> bool:
        return self.may_speak and self.age > grace and self.passes >= PASSES and self.later_heard >= LATER_REQUESTS
