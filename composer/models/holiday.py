"""A day on which a publication does not come out."""

from django.db import models

from composer.models.publication import one_line


class Holiday(models.Model):
    """The weekly slot on this day (in the publication's timezone) is left out."""

    publication = models.ForeignKey("composer.Publication", on_delete=models.CASCADE, related_name="holidays")
    day = models.DateField()
    name = models.CharField(max_length=120, blank=True, validators=[one_line])

    class Meta:
        ordering = ["day"]
        constraints = [models.UniqueConstraint(fields=["publication", "day"], name="composer_holiday_day")]

    def __str__(self) -> str:
        return f"{self.day}: {self.name}" if self.name else str(self.day)
