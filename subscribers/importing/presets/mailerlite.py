"""MailerLite."""

from subscribers.importing.presets.preset import Preset, columns
from subscribers.importing.states import State

MAILERLITE = Preset(
    name="mailerlite",
    signatures=(
        columns("subscriber", "subscribed"), columns("email", "opted_in_ip"), columns("email", "optin_ip", "opens_count"),
        columns("subscriber", "sent", "opens", "clicks"), columns("email", "opens_rate", "status"),
    ),
    fields={
        "email": ("subscriber", "email"),
        "consent_at": ("opt_in_time", "opted_in_at", "optin_time", "confirmation_timestamp", "subscribed", "subscribed_at"),
        "consent_ip": ("opted_in_ip", "optin_ip", "opt_in_ip", "confirmation_ip", "signup_ip", "ip"),
        "tags": ("groups", "tags"),
    },
    status=("status", "type"),
    words={"junk": State.COMPLAINT, "unconfirmed": State.PENDING},
    technical=columns(
        "id", "sent", "opens", "clicks", "opens_count", "clicks_count", "open_rate", "opens_rate", "click_rate", "clicks_rate", "location",
        "updated_at", "last_email_sent", "last_opened", "last_clicked",
    ),
)  # fmt: skip
