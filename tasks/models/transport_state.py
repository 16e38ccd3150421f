"""What all workers must know about one transport: its breaker, and whether its silence may be believed."""

from django.db import models

#: The row that notes refused webhook calls: they concern every key.
WEBHOOK = "webhook"


class TransportState(models.Model):
    """One row per key ("sendgrid:<fingerprint of the API key and host>")."""

    name = models.CharField(primary_key=True, max_length=60)
    unknowns_in_a_row = models.PositiveSmallIntegerField(default=0)
    #: Set while the breaker is open; the last time a batch was let through as a probe.
    opened_at = models.DateTimeField(null=True)
    probed_at = models.DateTimeField(null=True)
    #: Silence is disabled after two attempts of one batch prove accepted, until a person re-enables it.
    silence_enabled = models.BooleanField(default=True, db_default=True)
    #: The provider asked to wait until then (429), and in which words; and how often in a row it did without saying how long.
    hold_until = models.DateTimeField(null=True)
    hold_reason = models.CharField(max_length=300, blank=True, default="", db_default="")
    too_many_in_a_row = models.PositiveSmallIntegerField(default=0, db_default=0)
    #: The last webhook call that was not answered 2xx.
    webhook_refused_at = models.DateTimeField(null=True)

    wagtail_reference_index_ignore = True

    def __str__(self) -> str:
        return self.name
