"""What the provider reported: raw receipts, and the events applied from them."""

from django.db import models
from django.db.models.functions import Now


class Event(models.Model):
    """One report about one delivery. The key makes a repeated report the same row."""

    #: The same for two reports of the same thing (`tasks.feedback.event_store`).
    key = models.BinaryField(primary_key=True, max_length=16)
    send_id = models.BigIntegerField(null=True)
    subscriber_id = models.BigIntegerField(null=True)
    #: A value of `tasks.providers.events.EventKind`, or "other:<the provider's word>".
    kind = models.CharField(max_length=30)
    at = models.DateTimeField()
    url = models.TextField(blank=True)
    agent = models.TextField(blank=True)
    #: A machine did it (a link scanner, a mail provider's proxy): it counts for no reader.
    machine = models.BooleanField(default=False, db_default=False)

    wagtail_reference_index_ignore = True

    class Meta:
        indexes = [
            models.Index(fields=["send_id", "subscriber_id"], name="tasks_event_delivery"),
            # What an edition's result counts while it is looked at, among the reports of a million readers
            # (`tasks.sends.results`).
            models.Index(
                fields=["send_id", "subscriber_id"],
                condition=models.Q(kind="clicked", machine=False),
                name="tasks_event_clicks",
            ),
            models.Index(
                fields=["send_id", "subscriber_id"],
                condition=models.Q(kind__in=["opened", "opened_by_machine"], machine=True),
                name="tasks_event_machine_opens",
            ),
            # Few of many: `tasks.feedback.soft_bounces` counts them every night.
            models.Index(fields=["at"], condition=models.Q(kind="soft_bounce"), name="tasks_event_soft_bounces"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.send_id}.{self.subscriber_id}"


class Receipt(models.Model):
    """The raw body of one webhook call, stored before it is answered. One that was set aside counts as applied, and keeps its error."""

    #: Who posted it, as its folder in `tasks.providers` is called: it is read in that provider's words.
    provider = models.CharField(max_length=30, default="sendgrid", db_default="sendgrid")
    body = models.BinaryField()
    received_at = models.DateTimeField(db_default=Now())
    applied_at = models.DateTimeField(null=True)
    #: Why it could not be applied; it stays unapplied until someone looks.
    error = models.CharField(max_length=500, blank=True)
    #: When a person gave up what it says, and who.
    set_aside_at = models.DateTimeField(null=True)
    set_aside_by = models.CharField(max_length=200, blank=True, default="", db_default="")

    wagtail_reference_index_ignore = True

    class Meta:
        indexes = [
            models.Index(fields=["id"], condition=models.Q(applied_at__isnull=True), name="tasks_receipt_unapplied")
        ]

    def __str__(self) -> str:
        return f"Receipt {self.pk}"
