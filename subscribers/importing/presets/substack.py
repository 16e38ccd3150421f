"""Substack: `active_subscription` is about money; `email_disabled` is about mail."""

from subscribers.importing.presets.preset import Preset, bad, columns
from subscribers.importing.states import State

SUBSTACK = Preset(
    name="substack",
    signatures=(columns("email", "active_subscription"), columns("email", "email_disabled")),
    fields={"consent_at": ("created_at",)},
    flags={"email_disabled": bad(State.UNSUBSCRIBED)},
    technical=columns("active_subscription", "expiry", "first_payment_at", "stripe_customer_id"),
)
