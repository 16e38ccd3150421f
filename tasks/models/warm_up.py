"""How much a sender's domain may send while mailbox providers do not know it yet."""

from django.db import models
from django.db.models.functions import Now


class WarmUp(models.Model):
    """Ceilings for one sender domain, by days or by editions: the first one's, the second one's, …; after the last there is none."""

    domain = models.CharField(max_length=255, primary_key=True)
    #: The first day, in UTC, as all its days.
    starts_on = models.DateField()
    #: Recipients on day 0, 1, 2, …
    ceilings = models.JSONField(default=list)
    #: Readers of the first edition that goes out from that day on, the second, …; whoever is left out is excluded.
    editions = models.JSONField(default=list, db_default=[])
    #: No send of this domain claims anything until then, and why: a day's ceiling is reached.
    throttled_until = models.DateTimeField(null=True)
    throttle_reason = models.CharField(max_length=300, blank=True, default="", db_default="")
    created_at = models.DateTimeField(db_default=Now())

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = "warm-up"

    def __str__(self) -> str:
        return f"{self.domain} from {self.starts_on}"
