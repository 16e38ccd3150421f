"""A saved rule over subscribers."""

from django.db import models


class Segment(models.Model):
    publication = models.ForeignKey("composer.Publication", on_delete=models.CASCADE, related_name="segments")
    slug = models.SlugField(max_length=60)
    name = models.CharField(max_length=120)
    #: {"all": [{"field": "attributes.country", "op": "in", "value": ["SG"]}, {"any": […]}, {"not": {…}}]}
    rule = models.JSONField()

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["publication", "slug"]
        constraints = [models.UniqueConstraint(fields=["publication", "slug"], name="subscribers_segment_slug")]

    def __str__(self) -> str:
        return self.name
