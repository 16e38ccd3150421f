"""Buttondown: the type of the subscriber is the status."""

from subscribers.importing.presets.preset import Preset, columns
from subscribers.importing.states import State

BUTTONDOWN = Preset(
    name="buttondown",
    signatures=(columns("email", "subscriber_type"), columns("email", "type", "unsubscription_date"),
        columns("email_address", "subscriber_type"), columns("email_address", "type", "creation_date")),
    fields={
        "consent_at": ("creation_date",), "consent_source": ("source",), "consent_ip": ("ip_address",), "json": ("metadata",),
    },
    status=("subscriber_type", "type"),
    words={
        "unactivated": State.PENDING, "unpaid": State.ACTIVE, "past_due": State.ACTIVE, "churning": State.ACTIVE,
        "churned": State.ACTIVE, "trialed": State.ACTIVE, "upcoming": State.PENDING, "undeliverable": State.HARD_BOUNCE,
        "complained": State.COMPLAINT, "blocked": State.MANUAL, "spammy": State.MANUAL, "removed": State.UNSUBSCRIBED, "paused": State.UNSUBSCRIBED,
    },
    left={"unsubscription_date": State.UNSUBSCRIBED},
    technical=columns("id", "notes", "referrer_url", "secondary_id", "utm_campaign", "utm_medium", "utm_source"),
)  # fmt: skip
