"""That a person agreed to a publication's sunset rule, and for how many readers."""

from django.db import models
from django.db.models.functions import Now


class Sunset(models.Model):
    """The rule as it was confirmed: under other numbers, or for more readers, it is asked for again."""

    publication = models.OneToOneField("composer.Publication", on_delete=models.CASCADE, related_name="+")
    editions = models.PositiveSmallIntegerField()
    weeks = models.PositiveSmallIntegerField()
    #: The most that a night may leave out.
    readers = models.PositiveIntegerField()
    confirmed_at = models.DateTimeField(db_default=Now())
    confirmed_by = models.CharField(max_length=200)

    wagtail_reference_index_ignore = True

    def __str__(self) -> str:
        return f"{self.publication}: {self.readers} readers after {self.editions} editions"
