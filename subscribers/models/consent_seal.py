"""The consent ledger's seals: what holds one, which consents it covers.

Each statement that adds consents is sealed by a trigger: one row for the whole statement, whoever wrote it. Seals are joined to
a chain afterwards (`subscribers.consent_ledger`), so that no import holds up a reader who unsubscribes.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now


class ConsentSeal(models.Model):
    """A hash over the consents that one statement added; with a position it is a link of the chain."""

    #: The consents' ids, as ranges: from each of these to the one at the same place in `lasts`.
    firsts = ArrayField(models.BigIntegerField())
    lasts = ArrayField(models.BigIntegerField())
    rows = models.IntegerField()
    #: SHA-256 over the consents in the order of their ids, without the person (`subscribers.consent_ledger.CONTENT`).
    content = models.BinaryField(max_length=32)
    at = models.DateTimeField(db_default=Now())
    #: Place in the chain, from 1; None until it is joined to it.
    position = models.BigIntegerField(null=True, unique=True)
    #: SHA-256 over the link before, and this one's place, ids and content.
    link = models.BinaryField(max_length=32, null=True)

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["id"], condition=models.Q(position__isnull=True), name="subscribers_seal_unlinked")
        ]

    def __str__(self) -> str:
        return f"Seal {self.pk} over {self.rows} consents"
