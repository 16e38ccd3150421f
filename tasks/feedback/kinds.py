"""What each kind of event means: the bit it sets on its delivery, and whom we may no longer write to.

A kind that is missing here is stored and means nothing: providers add words without notice. A click or an open never
unsubscribes anybody: link scanners open and click everything.
"""

from subscribers.models import Suppression
from tasks.models import Delivery
from tasks.providers.events import DropCause, EventKind, ReportedEvent

Seen = Delivery.Seen
Reason = Suppression.Reason

#: A soft bounce counts as bounced and suppresses nobody. Opens and clicks are missing: whether a reader did them is
#: judged of all of them together (`tasks.feedback.engagement`).
BITS: dict[str, int] = {
    EventKind.PROCESSED.value: Seen.PROCESSED.value,
    EventKind.DELIVERED.value: Seen.DELIVERED.value,
    EventKind.DEFERRED.value: Seen.DEFERRED.value,
    EventKind.HARD_BOUNCE.value: Seen.BOUNCED.value,
    EventKind.SOFT_BOUNCE.value: Seen.BOUNCED.value,
    EventKind.DROPPED.value: Seen.DROPPED.value,
    EventKind.COMPLAINT.value: Seen.COMPLAINED.value,
    EventKind.UNSUBSCRIBED.value: Seen.UNSUBSCRIBED.value,
}

#: A member whose message the provider surely had in hand: what silence is measured by (docs/adr/0008).
HEARD_KINDS = frozenset(
    kind.value
    for kind in (
        EventKind.PROCESSED,
        EventKind.DELIVERED,
        EventKind.HARD_BOUNCE,
        EventKind.SOFT_BOUNCE,
        EventKind.DROPPED,
    )
)

#: They may come days later and then without our ids: the address is all that is left of them.
LATE_KINDS = frozenset(
    kind.value for kind in (EventKind.HARD_BOUNCE, EventKind.SOFT_BOUNCE, EventKind.COMPLAINT, EventKind.UNSUBSCRIBED)
)

_SUPPRESSING: dict[str, Suppression.Reason] = {
    EventKind.HARD_BOUNCE.value: Reason.HARD_BOUNCE,
    EventKind.COMPLAINT.value: Reason.COMPLAINT,
    EventKind.UNSUBSCRIBED.value: Reason.UNSUBSCRIBED,
}
_DROPPED: dict[DropCause, Suppression.Reason] = {
    DropCause.INVALID: Reason.INVALID,
    DropCause.HARD_BOUNCE: Reason.HARD_BOUNCE,
    DropCause.COMPLAINT: Reason.COMPLAINT,
    DropCause.UNSUBSCRIBED: Reason.UNSUBSCRIBED,
}
#: The only ones that can be a reason to suppress anybody.
SUPPRESSING_KINDS = frozenset({*_SUPPRESSING, EventKind.DROPPED.value})


def reason_to_suppress(event: ReportedEvent) -> Suppression.Reason | None:
    """Why the reader must not be written to any more; None when the event does not say so."""
    if event.drop_cause is not None:
        return _DROPPED[event.drop_cause]
    return _SUPPRESSING.get(event.kind)
