"""Kit, once ConvertKit: `inactive` has not confirmed."""

from subscribers.importing.presets.preset import Preset, columns
from subscribers.importing.states import State

KIT = Preset(
    name="kit",
    signatures=(
        columns("email", "first_name", "state", "created_at"), columns("email_address", "first_name", "state", "created_at"),
        columns("subscriber_id", "email", "first_name", "tags"), columns("email", "first_name", "status", "created_at", "tags"),
    ),
    fields={"consent_at": ("created_at", "subscribed_at", "confirmed_at")},
    status=("status", "state", "subscriber_state"),
    words={"inactive": State.PENDING, "cancelled": State.UNSUBSCRIBED, "canceled": State.UNSUBSCRIBED},
    technical=columns("id", "subscriber_id", "referrer", "utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content"),
)  # fmt: skip
