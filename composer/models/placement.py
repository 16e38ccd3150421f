"""Where a story ran: a projection of an edition's blocks that nobody edits."""

from django.db import models


class Placement(models.Model):
    edition = models.ForeignKey("composer.Edition", on_delete=models.CASCADE, related_name="placements")
    #: The block's UUID in the edition's content; stable under reordering.
    block_id = models.UUIDField()
    story = models.ForeignKey(
        "composer.Story", null=True, blank=True, on_delete=models.SET_NULL, related_name="placements"
    )
    #: The number a reader sees who sees every story.
    number = models.PositiveSmallIntegerField()
    headline = models.CharField(max_length=300)
    #: A segment's slug; empty = everybody.
    audience = models.SlugField(max_length=60, blank=True)

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["edition", "number"]
        constraints = [
            models.UniqueConstraint(fields=["edition", "block_id"], name="composer_placement_block"),
            models.UniqueConstraint(fields=["edition", "number"], name="composer_placement_number"),
        ]

    def __str__(self) -> str:
        return f"{self.number}. {self.headline}"
