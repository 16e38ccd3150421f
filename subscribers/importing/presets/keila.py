"""Keila: contacts with `data` as JSON."""

from subscribers.importing.presets.preset import Preset, columns
from subscribers.importing.states import State

KEILA = Preset(
    name="keila",
    signatures=(columns("email", "data", "status"), columns("email", "first_name", "last_name", "data")),
    fields={"json": ("data",), "consent_at": ("double_opt_in_at", "inserted_at", "created_at")},
    status=("status",),
    words={"unreachable": State.HARD_BOUNCE},
    technical=columns("id", "external_id", "updated_at"),
)
