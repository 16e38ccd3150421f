"""What came of following a link: a cache, which may be emptied at any time."""

import hashlib

from django.db import models
from django.db.models.functions import Now


class LinkCheck(models.Model):
    """What the last request to one URL came to; one row per URL, edition or not."""

    class Outcome(models.TextChoices):
        """What the checks of an edition make of it."""

        #: Somebody is following it now, or nothing could be learned because this machine is offline.
        ASKED = "", "asked"
        ANSWERED = "answered", "answered"
        MOVED = "moved", "moved"
        BROKEN = "broken", "broken"
        UNCLEAR = "unclear", "unclear"
        PRIVATE = "private", "private"

    #: Addresses may be longer than an index entry: the hex of their hash.
    key = models.CharField(max_length=32, primary_key=True)
    url = models.TextField()
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True)
    status = models.PositiveSmallIntegerField(default=0)
    target = models.TextField(blank=True)
    error = models.CharField(max_length=200, blank=True)
    checked_at = models.DateTimeField(db_default=Now())

    wagtail_reference_index_ignore = True

    class Meta:
        indexes = [models.Index(fields=["checked_at"])]

    def __str__(self) -> str:
        return self.url

    @staticmethod
    def key_of(url: str) -> str:
        """The primary key of this URL's row: 32 hex digits of BLAKE2b (RFC 7693)."""
        return hashlib.blake2b(url.encode(), digest_size=16).hexdigest()
