"""Sendy: its export has a status only where all subscribers are in one file."""

from subscribers.importing.presets.preset import Preset, columns
from subscribers.importing.states import State

SENDY = Preset(
    name="sendy",
    signatures=(
        columns("name", "email", "joined", "status"), columns("email", "last_activity", "status"),
        columns("name", "email", "join_date", "timestamp"), columns("name", "email", "last_campaign"),
    ),
    fields={"consent_at": ("joined", "join_date"), "consent_ip": ("ip", "ip_address")},
    status=("status",),
    words={
        "subscribed": State.ACTIVE, "unconfirmed": State.PENDING, "soft_bounced": State.ACTIVE,
        "marked_as_spam": State.COMPLAINT,
    },
    technical=columns("id", "last_activity", "timestamp", "last_campaign", "last_ares", "referrer", "added_via"),
)  # fmt: skip
