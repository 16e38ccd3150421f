"""How large a list was at the end of a day, and who came and left on it."""

from django.db import models


class ListGrowth(models.Model):
    """One list on one day that is over; written once (`subscribers.growth`)."""

    list = models.ForeignKey("subscribers.List", on_delete=models.CASCADE, related_name="growth", db_index=False)
    #: From midnight to midnight UTC.
    day = models.DateField()
    #: Subscriptions by status, as they were found soon after midnight; suppressed readers are among the active.
    active = models.PositiveIntegerField()
    pending = models.PositiveIntegerField()
    unsubscribed = models.PositiveIntegerField()
    #: Readers who said yes, or no, to this list on that day, by their consents.
    gained = models.PositiveIntegerField()
    lost = models.PositiveIntegerField()

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["day", "list"]
        constraints = [models.UniqueConstraint(fields=["day", "list"], name="subscribers_listgrowth_once")]

    def __str__(self) -> str:
        return f"{self.list} on {self.day}: {self.active}"
