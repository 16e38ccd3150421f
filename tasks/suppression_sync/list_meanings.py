"""What each of the provider's lists means here: the only place of this room that knows its words."""

from typing import NamedTuple

from subscribers.models import Suppression


class ListMeaning(NamedTuple):
    """Our reason for what stands on a list, and the kinds of the stored events by which we hear of it."""

    reason: str
    kinds: tuple[str, ...]


MEANINGS: dict[str, ListMeaning] = {
    "bounces": ListMeaning(Suppression.Reason.HARD_BOUNCE.value, ("hard_bounce", "dropped")),
    "spam_reports": ListMeaning(Suppression.Reason.COMPLAINT.value, ("complaint", "dropped")),
    "invalid_emails": ListMeaning(Suppression.Reason.INVALID.value, ("dropped",)),
    "unsubscribes": ListMeaning(Suppression.Reason.UNSUBSCRIBED.value, ("unsubscribed", "dropped")),
}
