"""What all workers must know about one transport: its breaker, its throttle, and whether its silence may be believed."""

from django.db import models


class TransportState(models.Model):
    """One row per key ("sendgrid:<fingerprint of the API key and host>")."""

    name = models.CharField(primary_key=True, max_length=60)
    unknowns_in_a_row = models.PositiveSmallIntegerField(default=0)
    #: Set while the breaker is open; the last time a batch was let through as a probe.
    opened_at = models.DateTimeField(null=True)
    probed_at = models.DateTimeField(null=True)
    #: Silence is disabled after two attempts of one batch prove accepted, until a person re-enables it.
    silence_enabled = models.BooleanField(default=True, db_default=True)
    #: Nothing is sent until then, and why: the provider asked to wait (429) or cannot be reached.
    throttled_until = models.DateTimeField(null=True)
    throttled_at = models.DateTimeField(null=True)
    throttle_reason = models.CharField(max_length=300, blank=True, default="", db_default="")
    #: How often in a row it asked to wait without saying how long.
    too_many_in_a_row = models.PositiveSmallIntegerField(default=0, db_default=0)

    wagtail_reference_index_ignore = True

    def __str__(self) -> str:
        return self.name
