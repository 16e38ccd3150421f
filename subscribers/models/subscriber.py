"""A person with an address."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import OpClass
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower, Now


class Subscriber(models.Model):
    class Tracking(models.TextChoices):
        """Whether the reader agreed that opens and clicks are reported; the newest row of `TrackingAnswer` says how."""

        UNKNOWN = "unknown", "not asked"
        GRANTED = "granted", "agreed"
        DENIED = "denied", "refused"

    #: As the reader writes it; compared without case.
    email = models.EmailField(max_length=320)
    name = models.CharField(max_length=200, blank=True, validators=[RegexValidator(r"^[^\r\n\x00]*\Z")])
    #: BCP 47; empty = the publication's.
    language = models.CharField(max_length=20, blank=True)
    #: IANA; empty = the publication's.
    timezone = models.CharField(max_length=64, blank=True)
    attributes = models.JSONField(default=dict, blank=True)
    tags = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    #: Apart from any subscription, and for all publications.
    tracking = models.CharField(max_length=8, choices=Tracking, default=Tracking.UNKNOWN, db_default=Tracking.UNKNOWN)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["pk"]
        indexes = [
            # How an address or a name begins, for the desk's search; the unique index sorts by the database's language.
            models.Index(OpClass(Lower("email"), "text_pattern_ops"), name="subscribers_subscriber_address"),
            models.Index(OpClass(Lower("name"), "text_pattern_ops"), name="subscribers_subscriber_name"),
            # Freezing asks for the few on one side, and whether there are any at all.
            models.Index(fields=["id"], condition=models.Q(tracking="granted"), name="subscribers_tracking_granted"),
            models.Index(fields=["id"], condition=models.Q(tracking="denied"), name="subscribers_tracking_denied"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(tracking__in=["unknown", "granted", "denied"]),
                name="subscribers_subscriber_tracking",
            ),
            models.UniqueConstraint(
                Lower("email"),
                name="subscribers_subscriber_email",
                violation_error_message="There is a subscriber with this address.",
            ),
            models.CheckConstraint(
                condition=models.Q(email__regex=r"^[^@\s]+@[^@\s]+$"), name="subscribers_subscriber_email_shape"
            ),
        ]

    def __str__(self) -> str:
        return self.email
