"""beehiiv."""

from subscribers.importing.presets.preset import Preset, columns
from subscribers.importing.states import State

BEEHIIV = Preset(
    name="beehiiv",
    signatures=(
        columns("email", "status", "subscription_tier"), columns("email", "status", "utm_source", "created_at"),
        columns("email", "status", "acquisition_source"), columns("email", "status", "referral_code"),
    ),
    fields={"consent_at": ("created_at", "subscribed_at", "created"), "consent_source": ("acquisition_source",)},
    status=("status",),
    words={"validating": State.PENDING, "needs_attention": State.PENDING, "inactive": State.UNSUBSCRIBED},
    technical=columns(
        "id", "subscriber_id", "utm_source", "utm_medium", "utm_campaign", "utm_channel", "utm_term", "utm_content", "referring_site",
        "referral_code", "referral_count", "open_rate", "click_rate", "click_through_rate", "unique_opens", "unique_clicks",
    ),
)  # fmt: skip
