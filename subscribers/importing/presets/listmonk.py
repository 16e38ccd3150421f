"""listmonk: `enabled`, `disabled`, `blocklisted`, and attributes as JSON."""

from subscribers.importing.presets.preset import Preset, columns
from subscribers.importing.states import State

LISTMONK = Preset(
    name="listmonk",
    signatures=(columns("uuid", "email", "status", "attributes"), columns("uuid", "email", "status", "attribs")),
    fields={"consent_at": ("created_at",), "json": ("attributes", "attribs")},
    status=("status", "subscription_status"),
    words={
        "enabled": State.ACTIVE,
        "disabled": State.UNSUBSCRIBED,
        "blocklisted": State.MANUAL,
        "blacklisted": State.MANUAL,
    },
    technical=columns("id", "uuid", "updated_at", "lists"),
)
