"""An approval to an audience at a time."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class Send(models.Model):
    """One approved edition to some lists, once. scheduled → sending → sent, with paused and cancelled on the way."""

    class Status(models.TextChoices):
        """Where it stands. Only a send that is `sending` has batches that may be claimed."""

        SCHEDULED = "scheduled", "scheduled"
        SENDING = "sending", "sending"
        PAUSED = "paused", "paused"
        CANCELLED = "cancelled", "cancelled"
        SENT = "sent", "sent"

    NOT_OVER = (Status.SCHEDULED, Status.SENDING, Status.PAUSED)

    approval = models.ForeignKey("composer.Approval", on_delete=models.PROTECT, related_name="sends")
    #: The same as approval.edition, so that "has this reader had this edition" needs no join.
    edition = models.ForeignKey("composer.Edition", on_delete=models.PROTECT, related_name="sends")
    lists = models.ManyToManyField("subscribers.List", related_name="+")
    #: The segment as it was chosen; the rule is copied, so that editing the segment changes no scheduled send.
    segment = models.ForeignKey(
        "subscribers.Segment", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    segment_rule = models.JSONField(null=True, blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.SCHEDULED)
    #: When it is prepared: the given time, or for a local-time send the first moment at which it is that time somewhere.
    scheduled_at = models.DateTimeField()
    #: For a local-time send: the time on each reader's own clock, ISO 8601 without an offset ("2026-12-04T08:00:00").
    local_at = models.CharField(max_length=19, blank=True)
    #: Nothing goes out before this moment, so that whoever sent it can take it back.
    undo_until = models.DateTimeField(null=True)
    #: The domain of the From address, on which a warm-up counts.
    sender_domain = models.CharField(max_length=255, blank=True)
    #: Paused because its edition was reopened; approving the edition again gives it back to its schedule.
    held_at = models.DateTimeField(null=True)
    #: The send whose missed readers this one is for ("send to the rest").
    rest_of = models.ForeignKey("tasks.Send", null=True, blank=True, on_delete=models.SET_NULL, related_name="rests")
    #: The cancelled send in whose place this one goes to readers whom others had left out because of it (`tasks.sends.left_out`).
    in_place_of = models.ForeignKey(
        "tasks.Send", null=True, blank=True, on_delete=models.SET_NULL, related_name="replacements"
    )
    #: The first batch, small and alone: until it has an answer no other is claimed (`tasks.throttling.canary`). None = all at once,
    #: or it was answered and has to be tried again.
    canary_batch = models.PositiveBigIntegerField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    prepared_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    #: Why it is paused, for an operator.
    pause_reason = models.CharField(max_length=500, blank=True)
    candidates = models.PositiveIntegerField(default=0)
    #: Number of exclusions by reason, as preparation counted them.
    excluded = models.JSONField(default=dict)
    #: The database this send was prepared in; another one means that it was restored or promoted since: the database
    #: moved (docs/architecture.md, "Delivery").
    system_identifier = models.CharField(max_length=30, blank=True)
    timeline = models.PositiveIntegerField(null=True)
    #: None = it was prepared by a version that did not ask.
    table_oid = models.BigIntegerField(null=True)

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["scheduled_at"], condition=models.Q(status="scheduled"), name="tasks_send_due"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=["scheduled", "sending", "paused", "cancelled", "sent"]),
                name="tasks_send_status",
            ),
        ]

    def __str__(self) -> str:
        return f"Send {self.pk} of {self.edition}"
