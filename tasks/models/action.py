"""Who did what to a send, and why: rows are only ever added."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class Action(models.Model):
    """One decision about a send or change of its status."""

    send = models.ForeignKey("tasks.Send", on_delete=models.CASCADE, related_name="actions")
    #: One word: scheduled, prepared, paused, resumed, cancelled, undone, held, restored, released, sent, settled, …
    what = models.CharField(max_length=20)
    why = models.CharField(max_length=500, blank=True)
    #: A user at the desk; None for the command line and for Newsdesk itself.
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    #: Who it was, as a text that stays when the account goes: a user's name, "command line (name)", or "Newsdesk".
    who = models.CharField(max_length=200)
    at = models.DateTimeField(db_default=Now())

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.who} {self.what} send {self.send_id}"
