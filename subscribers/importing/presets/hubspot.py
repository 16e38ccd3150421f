"""HubSpot: contacts; who opted out of all mail is left out of it, and so is who bounced or was quarantined."""

from subscribers.importing.presets.preset import WANTED, Preset, bad, columns
from subscribers.importing.states import State

HUBSPOT = Preset(
    name="hubspot",
    signatures=(
        columns("record_id", "email"), columns("email", "unsubscribed_from_all_email"), columns("email", "lifecycle_stage"),
        columns("email", "marketing_contact_status"),
    ),
    fields={"consent_at": ("create_date",), "language": ("preferred_language",), "timezone": ("time_zone",)},
    status=("marketing_contact_status", "email_subscription_status"),
    words={"marketing_contact": State.ACTIVE, "non_marketing_contact": State.PENDING, "not_marketing_contact": State.PENDING},
    flags={
        "unsubscribed_from_all_email": bad(State.UNSUBSCRIBED), "opted_out_of_email": bad(State.UNSUBSCRIBED),
        "opted_out_of_all_email": bad(State.UNSUBSCRIBED), "email_address_quarantined": bad(State.HARD_BOUNCE),
        "is_globally_ineligible": bad(State.MANUAL), "invalid_email_address": bad(State.INVALID),
        "opted_in_to_email": WANTED,
    },
    left={
        "email_hard_bounce_reason": State.HARD_BOUNCE, "hard_bounce_reason": State.HARD_BOUNCE,
        "email_hard_bounce_reason_enum": State.HARD_BOUNCE, "email_address_quarantine_reason": State.HARD_BOUNCE,
    },
    technical=columns(
        "record_id", "associated_company", "associated_company_ids", "contact_owner", "lifecycle_stage", "lead_status",
        "last_activity_date", "last_modified_date", "original_source",
    ),
)  # fmt: skip
