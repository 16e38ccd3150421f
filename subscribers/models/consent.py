"""The proof of a yes or a no. Rows are only ever added and sealed (`subscribers.consent_ledger`); a trigger refuses the rest."""

from django.db import models
from django.db.models.functions import Now


class Consent(models.Model):
    class Kind(models.TextChoices):
        GIVEN = "given", "given"
        WITHDRAWN = "withdrawn", "withdrawn"

    #: Emptied by an erasure, another one after a merge of two records; never changed otherwise.
    subscriber = models.ForeignKey(
        "subscribers.Subscriber", null=True, on_delete=models.SET_NULL, related_name="consents"
    )
    list = models.ForeignKey("subscribers.List", on_delete=models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=10, choices=Kind)
    #: Where it came from: an import's file name, a form's address, "one-click", "webhook".
    source = models.CharField(max_length=200)
    #: The words the reader agreed to, where they are known.
    wording = models.TextField(blank=True)
    at = models.DateTimeField(db_default=Now())
    #: Where source and wording named somebody who was erased: the SHA-256 of what they were, so that the seal still fits.
    redacted = models.BinaryField(max_length=32, null=True)

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["pk"]
        #: The first page of the desk counts those of a week.
        indexes = [models.Index(fields=["at"], name="subscribers_consent_at")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=["given", "withdrawn"]), name="subscribers_consent_kind"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subscriber} {self.kind} {self.list} ({self.source})"
