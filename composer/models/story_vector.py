"""What a story means, as a vector: worked out once, since that takes a tenth of a second and a query needs thousands."""

from django.db import models


class StoryVector(models.Model):
    story = models.ForeignKey("composer.Story", on_delete=models.CASCADE, related_name="vectors")
    #: Vectors of different models cannot be compared.
    model = models.CharField(max_length=60)
    #: Of the text it was made of: an edited story's vector is made anew.
    text_hash = models.CharField(max_length=32)
    #: Little-endian float16, of length 1.
    vector = models.BinaryField()

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [models.UniqueConstraint(fields=["story", "model"], name="composer_storyvector_story_model")]

    def __str__(self) -> str:
        return f"{self.story_id}: {self.model}"
