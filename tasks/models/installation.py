"""Which installation this database belongs to."""

import uuid

from django.db import models
from django.db.models.functions import Now


class Installation(models.Model):
    """One row, made by the migration: it goes into every dump, and tells this installation from all others.

    Fences are numbered by the sequence tasks_fence_number, which goes into every dump too (`tasks.database.high_water`).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    created_at = models.DateTimeField(db_default=Now())

    wagtail_reference_index_ignore = True

    def __str__(self) -> str:
        return f"Installation {self.pk}"
