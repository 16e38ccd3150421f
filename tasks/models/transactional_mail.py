"""One message to one address, outside any send: a test, an alarm. It goes before all batches."""

import uuid

from django.db import models
from django.db.models.functions import Now


class TransactionalMail(models.Model):
    """The queue of record for single messages. pending → submitting → submitted | unknown | failed.

    Its row has all it needs: what a test showed stays what it was when the edition changes. An unknown mail is not sent
    again by itself: nobody is harmed by a test that is missing. One about an alarm is.
    """

    class Kind(models.TextChoices):
        """What it is for."""

        TEST = "test", "test"
        ALARM = "alarm", "alarm"
        ACCOUNT = "account", "account"

    class Status(models.TextChoices):
        """Where its one request stands. Of a mail that is unknown or failed nothing more is sent."""

        PENDING = "pending", "pending"
        SUBMITTING = "submitting", "submitting"
        SUBMITTED = "submitted", "submitted"
        UNKNOWN = "unknown", "unknown"
        FAILED = "failed", "failed"

    kind = models.CharField(max_length=12, choices=Kind)
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    publication = models.ForeignKey("composer.Publication", null=True, on_delete=models.CASCADE, related_name="+")
    edition = models.ForeignKey("composer.Edition", null=True, on_delete=models.CASCADE, related_name="+")
    to_email = models.CharField(max_length=320)
    to_name = models.CharField(max_length=200, blank=True)
    from_email = models.CharField(max_length=320)
    from_name = models.CharField(max_length=200, blank=True)
    reply_to = models.CharField(max_length=320, blank=True)
    subject = models.CharField(max_length=500)
    html = models.TextField()
    text = models.TextField()
    #: Message headers beside those every transport writes itself; ASCII.
    headers = models.JSONField(default=dict)
    #: token → value, for this reader.
    substitutions = models.JSONField(default=dict)
    #: For List-Unsubscribe; empty where there is nothing to unsubscribe from.
    unsubscribe_url = models.CharField(max_length=2000, blank=True)
    #: The attempt that claimed it last; and how many there were.
    attempt = models.UUIDField(null=True, default=None)
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(db_default=Now())
    claimed_at = models.DateTimeField(null=True)
    claimed_by = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)
    #: Who asked for it, as a text that stays when the account goes.
    asked_by = models.CharField(max_length=200, blank=True)
    #: The provider's last message.
    said = models.CharField(max_length=400, blank=True)
    provider_id = models.CharField(max_length=200, blank=True)
    #: What links to it from outside.
    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)

    wagtail_reference_index_ignore = True

    class Meta:
        db_table = "tasks_letter"
        indexes = [
            models.Index(
                fields=["not_before"],
                condition=models.Q(status__in=["pending", "submitting"]),
                name="tasks_letter_open",
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=["pending", "submitting", "submitted", "unknown", "failed"]),
                name="tasks_letter_status",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} to {self.to_email}: {self.subject}"
