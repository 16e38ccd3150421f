"""What came of comparing the provider's suppression lists with ours."""

from django.db import models
from django.db.models.functions import Now


class SuppressionSync(models.Model):
    """One run of the comparison with one transport's account."""

    transport = models.CharField(max_length=60)
    started_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)
    #: By list: {"bounces": {"theirs": 12, "added": 1, "known": 11, "freed": 0}, …}
    found = models.JSONField(default=dict)
    #: Why it ended early; empty when it did not.
    error = models.CharField(max_length=500, blank=True)

    wagtail_reference_index_ignore = True

    class Meta:
        db_table = "tasks_comparison"
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"Comparison {self.pk} with {self.transport}"
