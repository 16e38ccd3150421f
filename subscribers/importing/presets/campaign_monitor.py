"""Campaign Monitor: one export for each state, and one with all of them."""

from subscribers.importing.presets.preset import Preset, columns
from subscribers.importing.states import State

CAMPAIGN_MONITOR = Preset(
    name="campaign-monitor",
    signatures=(
        columns("email_address", "name", "subscribed_date"), columns("email_address", "consent_to_track"),
        columns("email_address", "date_subscribed"), columns("email_address", "name", "date"),
        columns("email_address", "subscribe_date"), columns("emailaddress", "listjoineddate"),
    ),
    fields={
        "email": ("email_address", "emailaddress"),
        "consent_at": ("subscribed_date", "date_subscribed", "subscribe_date", "listjoineddate", "date"),
    },
    status=("status", "state"),
    words={"unconfirmed": State.PENDING, "deleted": State.UNSUBSCRIBED, "suppressed": State.MANUAL},
    left={"unsubscribed_date": State.UNSUBSCRIBED, "bounced_date": State.HARD_BOUNCE},
    technical=columns("consent_to_send_sms", "reads_email_with", "mobile_number"),
)  # fmt: skip
