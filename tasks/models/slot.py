"""The weekly run of a publication without a hand: to whom each slot goes, and what became of it."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class Recurrence(models.Model):
    """Whom a publication's weekly slot goes to, as long as it is active."""

    publication = models.OneToOneField("composer.Publication", on_delete=models.CASCADE, related_name="recurrence")
    lists = models.ManyToManyField("subscribers.List", related_name="+")
    segment = models.ForeignKey(
        "subscribers.Segment", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    #: The slot's time is each reader's own.
    local_time = models.BooleanField(default=False)
    #: A slot missed by no more than this many minutes is sent late; one missed by more is left out.
    late_minutes = models.PositiveIntegerField(default=720)
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now())
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    wagtail_reference_index_ignore = True

    def __str__(self) -> str:
        return f"{self.publication} every week"


class Slot(models.Model):
    """One slot of a publication: a row exists once anything was decided about it, so that nothing is decided twice."""

    class Outcome(models.TextChoices):
        """What became of it; nothing changes once it is not open."""

        OPEN = "", "open"
        SENT = "sent", "sent"
        LATE = "late", "sent late"
        MISSED = "missed", "missed"
        SKIPPED = "skipped", "skipped"

    publication = models.ForeignKey("composer.Publication", on_delete=models.CASCADE, related_name="slots")
    at = models.DateTimeField()
    edition = models.ForeignKey("composer.Edition", null=True, on_delete=models.SET_NULL, related_name="+")
    send = models.OneToOneField("tasks.Send", null=True, on_delete=models.SET_NULL, related_name="slot")
    outcome = models.CharField(max_length=10, choices=Outcome, default=Outcome.OPEN, blank=True)
    #: When the alarm about a missing approval was raised.
    warned_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["-at"]
        constraints = [models.UniqueConstraint(fields=["publication", "at"], name="tasks_slot_once")]

    def __str__(self) -> str:
        return f"{self.publication}, {self.at:%Y-%m-%d %H:%M} UTC"
