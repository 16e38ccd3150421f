"""Asking for an approval, and the answer that is not a yes: rows are only ever added."""

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Now


class Review(models.Model):
    """One step of an edition between its author and whoever may approve. The newest says where it stands, until an approval."""

    class Kind(models.TextChoices):
        """Asked for approval, or sent back with a note."""

        ASKED = "asked", "asked for approval"
        SENT_BACK = "sent_back", "sent back"

    edition = models.ForeignKey("composer.Edition", on_delete=models.CASCADE, related_name="reviews")
    kind = models.CharField(max_length=10, choices=Kind)
    note = models.CharField(max_length=1000, blank=True, validators=[RegexValidator(r"^[^\x00]*\Z")])
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    #: Whom an edition goes back to.
    to = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(db_default=Now())

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(condition=models.Q(kind__in=["asked", "sent_back"]), name="composer_review_kind"),
            models.CheckConstraint(
                condition=~models.Q(kind="sent_back") | models.Q(note__regex=r"\S"),
                name="composer_review_note",
                violation_error_message="Say why it goes back.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.edition} {self.get_kind_display()}"
