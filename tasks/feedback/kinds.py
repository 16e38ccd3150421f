"""What each kind of event means: the bit it sets on its delivery, and whom we may no longer write to.

A kind that is missing here is stored and means nothing: SendGrid adds names without notice. A click or an open never
unsubscribes anybody: link scanners open and click everything.
"""

from subscribers.models import Suppression
from tasks.models import Delivery
from tasks.providers.events import ReportedEvent

Seen = Delivery.Seen
Reason = Suppression.Reason

#: `blocked` is a soft bounce: it counts as bounced and suppresses nobody. Opens and clicks are missing: whether a reader
#: did them is judged of all of them together (`tasks.feedback.engagement`).
BITS: dict[str, int] = {
    "processed": Seen.PROCESSED.value,
    "delivered": Seen.DELIVERED.value,
    "bounce": Seen.BOUNCED.value,
    "blocked": Seen.BOUNCED.value,
    "dropped": Seen.DROPPED.value,
    "deferred": Seen.DEFERRED.value,
    "spamreport": Seen.COMPLAINED.value,
    "unsubscribe": Seen.UNSUBSCRIBED.value,
    "group_unsubscribe": Seen.UNSUBSCRIBED.value,
}

#: A member whose message the provider surely had in hand (design §5.9 counts them for silence).
HEARD_KINDS = frozenset({"processed", "delivered", "bounce", "blocked", "dropped"})
#: Set beside the bits of Delivery.Seen with the first such event that names its attempt, so that a member is counted
#: for its attempt once, in whatever order events come.
HEARD = 512
#: Set once any click is known, a machine's too: then the time of delivery matters, whenever it becomes known.
LINKS_FOLLOWED = 1024

#: They may come days later and then without custom_args: the address is all that is left of them.
LATE_KINDS = frozenset({"bounce", "blocked", "spamreport", "unsubscribe", "group_unsubscribe"})

_EFFECTS = {
    "bounce": Reason.HARD_BOUNCE,
    "spamreport": Reason.COMPLAINT,
    "unsubscribe": Reason.UNSUBSCRIBED,
    "group_unsubscribe": Reason.UNSUBSCRIBED,
}
#: SendGrid's reasons for dropping; spam content, a bad header and a spent quota say nothing about the reader.
_DROPPED = {
    "invalid": Reason.INVALID,
    "bounced address": Reason.HARD_BOUNCE,
    "spam reporting address": Reason.COMPLAINT,
    "unsubscribed address": Reason.UNSUBSCRIBED,
}


def effect(event: ReportedEvent) -> Suppression.Reason | None:
    """Why the reader must not be written to any more; None when the event does not say so."""
    if event.kind == "dropped":
        return _DROPPED.get(event.reason.strip().lower())
    return _EFFECTS.get(event.kind)
