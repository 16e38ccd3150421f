"""Two records of one person became one: which id is gone, and which one took its place.

Mails that are in people's mailboxes name the id that is gone, in the links by which they leave and in what the provider
reports about them.
"""

from django.db import models
from django.db.models.functions import Now


class MergedReader(models.Model):
    #: Of the record that is gone; no id is given away twice.
    gone_id = models.BigIntegerField(primary_key=True)
    kept = models.ForeignKey("subscribers.Subscriber", on_delete=models.CASCADE, related_name="merged")
    #: "hmac:…" of the address that is gone (`subscribers.erased`), by which files that still have it mean the kept record; empty for
    #: records that were merged before it was kept.
    address = models.CharField(max_length=80, blank=True, default="", db_default="")
    who = models.CharField(max_length=200)
    at = models.DateTimeField(db_default=Now())

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        return f"{self.gone_id} is {self.kept_id} now"
