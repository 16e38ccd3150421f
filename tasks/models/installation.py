"""Which installation this database belongs to."""

import uuid

from django.db import models
from django.db.models.functions import Now


class Installation(models.Model):
    """One row, made by the migration: it goes into every dump, and tells this installation from all others.

    Fences are numbered by the sequence tasks_fence_number; the numbers stand with the attempts (`tasks.database.high_water`).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    created_at = models.DateTimeField(db_default=Now())
    #: The last number that counts although no attempt holds it: of a version before, or what numbering went on behind.
    fences_before = models.BigIntegerField(db_default=0)
    #: Unix seconds. Events that happened before have keys without a time (`tasks.feedback.event_store`): of a version before.
    timed_events_since = models.BigIntegerField(db_default=0)

    wagtail_reference_index_ignore = True

    def __str__(self) -> str:
        return f"Installation {self.pk}"
