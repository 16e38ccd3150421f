"""Mailchimp: one file each for the subscribed, the unsubscribed and the cleaned."""

from subscribers.importing.presets.preset import Preset, columns
from subscribers.importing.states import State

MAILCHIMP = Preset(
    name="mailchimp",
    signatures=(columns("email_address", "member_rating"), columns("email_address", "leid"), columns("email_address", "euid")),
    fields={"consent_at": ("confirm_time", "optin_time"), "consent_ip": ("confirm_ip", "optin_ip"), "tags": ("tags",)},
    left={"unsub_time": State.UNSUBSCRIBED, "clean_time": State.HARD_BOUNCE},
    whole_file={"unsub_time": State.UNSUBSCRIBED, "clean_time": State.HARD_BOUNCE},
    technical=columns(
        "member_rating", "latitude", "longitude", "gmtoff", "dstoff", "cc", "region", "last_changed", "leid", "euid", "notes",
        "unsub_campaign_title", "unsub_campaign_id", "unsub_reason", "unsub_reason_other", "clean_campaign_title",
        "clean_campaign_id",
    ),
)  # fmt: skip
