"""What people say to each other about a block of an edition, until it is settled."""

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Now

LONGEST = 1000


class Remark(models.Model):
    """Beside one block; no reader sees it. It stays on record when its block goes."""

    edition = models.ForeignKey("composer.Edition", on_delete=models.CASCADE, related_name="remarks")
    #: The block's id in the edition's content.
    block_id = models.UUIDField()
    text = models.CharField(max_length=LONGEST, validators=[RegexValidator(r"^[^\x00]*\Z")])
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(db_default=Now())
    #: None: still open.
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(text__regex=r"\S"),
                name="composer_remark_text",
                violation_error_message="Write the remark.",
            ),
        ]

    def __str__(self) -> str:
        return self.text
