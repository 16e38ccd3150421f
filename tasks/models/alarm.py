"""Something a person must look at."""

from django.db import models
from django.db.models.functions import Now


class Alarm(models.Model):
    send = models.ForeignKey("tasks.Send", null=True, on_delete=models.CASCADE, related_name="alarms")
    #: A short name: accepted_twice, attempt_unknown, ground_moved, lost_attempts, …
    code = models.CharField(max_length=40)
    message = models.CharField(max_length=500)
    raised_at = models.DateTimeField(db_default=Now())
    cleared_at = models.DateTimeField(null=True)
    #: What it is about, beside or instead of a send.
    publication = models.ForeignKey(
        "composer.Publication", null=True, blank=True, on_delete=models.CASCADE, related_name="alarms"
    )
    edition = models.ForeignKey(
        "composer.Edition", null=True, blank=True, on_delete=models.CASCADE, related_name="alarms"
    )
    #: When letters to the editors were written about it.
    mailed_at = models.DateTimeField(null=True)

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.message
