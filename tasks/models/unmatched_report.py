"""Reports that name a request which the database lacks."""

from django.db import models
from django.db.models.functions import Now

from tasks.models.send import Send


class UnmatchedReport(models.Model):
    """One of the first few of its send: how many there are decides whether they are believed (`tasks.feedback.unmatched_reports`)."""

    #: The report's own: the same whenever and however often it comes.
    key = models.BinaryField(primary_key=True, max_length=16)
    send = models.ForeignKey(Send, on_delete=models.CASCADE, related_name="unmatched_reports")
    #: Which it names.
    attempt = models.UUIDField()
    recorded_at = models.DateTimeField(db_default=Now())

    wagtail_reference_index_ignore = True

    def __str__(self) -> str:
        return f"Report on attempt {self.attempt} of send {self.send_id}"
