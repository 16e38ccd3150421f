"""Lists of a publication, and who is on them."""

from django.db import models
from django.db.models.functions import Now


class List(models.Model):
    publication = models.ForeignKey("composer.Publication", on_delete=models.PROTECT, related_name="lists")
    slug = models.SlugField(max_length=60)
    name = models.CharField(max_length=120)

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["publication", "slug"]
        constraints = [models.UniqueConstraint(fields=["publication", "slug"], name="subscribers_list_slug")]

    def __str__(self) -> str:
        return self.name


class Subscription(models.Model):
    """A subscriber on a list. Only an active one is mailed; a pending one waits for its confirmation."""

    class Status(models.TextChoices):
        PENDING = "pending", "waiting for confirmation"
        ACTIVE = "active", "active"
        UNSUBSCRIBED = "unsubscribed", "unsubscribed"

    subscriber = models.ForeignKey("subscribers.Subscriber", on_delete=models.CASCADE, related_name="subscriptions")
    list = models.ForeignKey(List, on_delete=models.PROTECT, related_name="subscriptions", db_index=False)
    status = models.CharField(max_length=12, choices=Status)
    subscribed_at = models.DateTimeField(db_default=Now())
    changed_at = models.DateTimeField(db_default=Now())

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["list", "subscriber"], name="subscribers_subscription_once"),
            models.CheckConstraint(
                condition=models.Q(status__in=["pending", "active", "unsubscribed"]),
                name="subscribers_subscription_status",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subscriber} on {self.list}: {self.status}"
