"""What all workers must know about one mailbox provider that puts its readers off."""

from django.db import models


class MailboxDomain(models.Model):
    """A domain of readers' addresses whose server said "later": its readers go in batches of their own while there is a row."""

    #: In ASCII and lower case, as in addresses.
    name = models.CharField(max_length=255, primary_key=True)
    #: Requests in a row in which none of its readers was accepted.
    put_off_in_a_row = models.PositiveSmallIntegerField(default=0)
    #: None of its batches is claimed until then, when that was written, and the server's words without addresses.
    throttled_until = models.DateTimeField()
    throttled_at = models.DateTimeField()
    throttle_reason = models.CharField(max_length=300, blank=True, default="", db_default="")

    wagtail_reference_index_ignore = True

    def __str__(self) -> str:
        return self.name
