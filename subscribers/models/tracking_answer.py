"""What a reader said about being tracked. Rows are only ever added; a trigger refuses the rest."""

from django.db import models
from django.db.models.functions import Now


class TrackingAnswer(models.Model):
    """A yes or a no to opens and clicks being reported: a consent of its own, apart from every subscription."""

    #: Emptied by an erasure, another one after a merge of two records; never changed otherwise.
    subscriber = models.ForeignKey(
        "subscribers.Subscriber", null=True, on_delete=models.SET_NULL, related_name="tracking_answers"
    )
    answer = models.CharField(max_length=8)
    #: As for `Consent.source`.
    source = models.CharField(max_length=200)
    #: The words the reader was shown, where they are known.
    wording = models.TextField(blank=True)
    at = models.DateTimeField(db_default=Now())

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(answer__in=["granted", "denied"]), name="subscribers_trackinganswer_answer"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subscriber} {self.answer} tracking ({self.source})"
