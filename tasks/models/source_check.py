"""What came of fetching the sources of an edition's stories again before its time."""

from django.db import models


class SourceCheck(models.Model):
    """One for each edition and moment at which it is meant to go out: a slot's, or a scheduled send's."""

    edition = models.ForeignKey("composer.Edition", on_delete=models.CASCADE, related_name="source_checks")
    moment = models.DateTimeField()
    #: When a worker last began; a claim that is older than the longest run is a dead worker's.
    claimed_at = models.DateTimeField(null=True)
    #: When it was done; empty while nothing could be reached.
    finished_at = models.DateTimeField(null=True)
    #: Key of a story block → its changes, each with the fields of `composer.claims.source_changes.SourceChange`.
    changes = models.JSONField(default=dict)

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [models.UniqueConstraint(fields=["edition", "moment"], name="tasks_source_check_once")]

    def __str__(self) -> str:
        return f"Sources of {self.edition}, {self.moment:%Y-%m-%d %H:%M} UTC"
