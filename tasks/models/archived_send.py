"""That the ledger of a send lies in a file, and its deliveries no longer in the database."""

from django.db import models
from django.db.models.functions import Now

from tasks.models.send import Send


class ArchivedSend(models.Model):
    """One file of the home (`tasks.sends.archives`). Until `dropped_at` it is a copy of rows that are still there."""

    send = models.OneToOneField(Send, on_delete=models.PROTECT, primary_key=True, related_name="archive")
    #: Its name in the home's folder `ledgers`.
    file = models.CharField(max_length=100)
    #: Of the file, in hexadecimal digits.
    sha256 = models.CharField(max_length=64)
    #: The sums over its rows, as `newsdesk ledger --json` has them.
    sums = models.JSONField()
    #: A hash of the rows that it was made of: others since mean that it is not complete.
    state = models.CharField(max_length=64)
    archived_at = models.DateTimeField(db_default=Now())
    dropped_at = models.DateTimeField(null=True)

    wagtail_reference_index_ignore = True

    def __str__(self) -> str:
        return f"Archive of send {self.send_id}"
