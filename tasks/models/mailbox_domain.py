"""What all workers must know about one mailbox provider that puts its readers off."""

from django.db import models


class MailboxDomain(models.Model):
    """A domain of readers' addresses whose server says "later": to us, or to the provider, whose events tell.

    While `throttled_until` is set, however long ago it was, its readers go in batches of their own, one at a time.
    """

    #: In ASCII and lower case, as in addresses.
    name = models.CharField(max_length=255, primary_key=True)
    #: Requests in a row in which none of its readers was accepted; or windows in a row in which too many were deferred.
    put_off_in_a_row = models.PositiveSmallIntegerField(default=0)
    #: None of its batches is claimed until then, when that was written, and the server's words without addresses.
    throttled_until = models.DateTimeField(null=True)
    throttled_at = models.DateTimeField(null=True)
    throttle_reason = models.CharField(max_length=300, blank=True, default="", db_default="")
    #: Readers whose mail was deferred, and delivered, as events told since then; the last deferral.
    deferred = models.PositiveIntegerField(default=0, db_default=0)
    delivered = models.PositiveIntegerField(default=0, db_default=0)
    counted_since = models.DateTimeField(null=True)
    deferred_at = models.DateTimeField(null=True)

    wagtail_reference_index_ignore = True

    def __str__(self) -> str:
        return self.name
