"""Who has which role, in one publication or in all."""

from django.conf import settings
from django.db import models


class Role(models.TextChoices):
    """What a person does; `composer.permissions.RIGHTS` says what each may."""

    WRITER = "writer", "Writer"
    EDITOR = "editor", "Editor"
    PUBLISHER = "publisher", "Publisher"
    ANALYST = "analyst", "Analyst"
    ADMINISTRATOR = "administrator", "Administrator"


class Membership(models.Model):
    """A person has at most one role in a publication, and at most one that holds for all; what they may is what any gives."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    #: None: all publications, those to come included.
    publication = models.ForeignKey(
        "composer.Publication", null=True, blank=True, on_delete=models.CASCADE, related_name="memberships"
    )
    role = models.CharField(max_length=13, choices=Role)

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["user", "publication"], name="composer_membership_once"),
            models.UniqueConstraint(
                fields=["user"],
                condition=models.Q(publication__isnull=True),
                name="composer_membership_for_all_once",
            ),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="composer_membership_role"),
        ]

    def __str__(self) -> str:
        where = self.publication.title if self.publication else "all publications"
        return f"{self.get_role_display()} of {where}"
