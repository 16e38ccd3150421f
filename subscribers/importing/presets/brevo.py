"""Brevo, once Sendinblue: columns in capitals; the blocklist is a column of its own."""

from subscribers.importing.presets.preset import WANTED, Preset, bad, columns
from subscribers.importing.states import State

BREVO = Preset(
    name="brevo",
    signatures=(
        columns("email", "added_time"), columns("contact_id", "email", "firstname", "sms"), columns("email", "double_opt_in", "opt_in"),
        columns("email", "emailblacklisted"), columns("email", "email_blacklisted"),
    ),
    fields={
        "first_name": ("firstname", "prenom", "vorname"), "last_name": ("lastname", "nom", "nachname"),
        "consent_at": ("double_opt_in_time", "opt_in_time", "added_time", "created_at", "createdat"), "tags": ("tags",),
    },
    status=("email_status", "status", "email_subscription"),
    words={"unsubscribed": State.UNSUBSCRIBED, "blocklisted": State.UNSUBSCRIBED, "blacklisted": State.UNSUBSCRIBED},
    flags={
        "opt_in": WANTED, "emailblacklisted": bad(State.UNSUBSCRIBED), "email_blacklisted": bad(State.UNSUBSCRIBED),
        "email_blocklisted": bad(State.UNSUBSCRIBED), "blocklisted": bad(State.UNSUBSCRIBED),
        "blacklisted": bad(State.UNSUBSCRIBED),
    },
    technical=columns("contact_id", "id", "modified_time", "modified_at", "modifiedat", "listids", "smsblacklisted", "list_ids"),
)  # fmt: skip
