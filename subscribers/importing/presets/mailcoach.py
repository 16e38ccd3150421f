"""Mailcoach: nobody is subscribed without `subscribed_at`."""

from subscribers.importing.presets.preset import CONFIRMED, Preset, columns
from subscribers.importing.states import State

MAILCOACH = Preset(
    name="mailcoach",
    signatures=(columns("email", "subscribed_at", "unsubscribed_at"), columns("email", "extra_attributes")),
    fields={"consent_at": ("subscribed_at", "created_at"), "json": ("extra_attributes", "attributes")},
    status=("status", "subscription_status"),
    flags={"subscribed_at": CONFIRMED},
    left={"unsubscribed_at": State.UNSUBSCRIBED},
    technical=columns("id", "uuid", "imported_via_import_uuid", "updated_at"),
)
