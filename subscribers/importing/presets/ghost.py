"""Ghost: members, of whom `subscribed_to_emails` says who is mailed."""

from subscribers.importing.presets.preset import WANTED, Preset, columns
from subscribers.importing.states import State

GHOST = Preset(
    name="ghost",
    signatures=(columns("email", "subscribed_to_emails"), columns("email", "complimentary_plan")),
    fields={"consent_at": ("created_at",), "tags": ("labels",)},
    flags={"subscribed_to_emails": WANTED, "subscribed": WANTED},
    left={"deleted_at": State.UNSUBSCRIBED},
    technical=columns("id", "uuid", "note", "complimentary_plan", "stripe_customer_id"),
)
