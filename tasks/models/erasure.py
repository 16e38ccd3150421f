"""That somebody was erased, and what the provider said to it: kept as proof, without anything of the person."""

from django.db import models
from django.db.models.functions import Now


class Erasure(models.Model):
    """One request. Open until `finished_at`: asked again for the same address, it goes on where it stopped."""

    #: The keyed hash of the address (`subscribers.erased`).
    address = models.CharField(max_length=80)
    #: The reader it was, so that an erasure that was broken off finds their rows again.
    subscriber_id = models.BigIntegerField(null=True)
    asked_at = models.DateTimeField(db_default=Now())
    #: Who erased, as a text: "command line (name)".
    who = models.CharField(max_length=200)
    finished_at = models.DateTimeField(null=True)
    #: The provider's answer to being asked to erase too: {"provider", "status", "body", "at"}; {} where none was asked.
    provider_answer = models.JSONField(default=dict, blank=True)

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["address"], condition=models.Q(finished_at__isnull=True), name="tasks_erasure_open_once"
            )
        ]

    def __str__(self) -> str:
        return f"Erasure {self.pk}"
