"""What is known of a provider's webhook calls beside those that were stored."""

from django.db import models


class WebhookState(models.Model):
    """One row per provider that posts events."""

    #: As its folder in `tasks.providers` is called.
    provider = models.CharField(primary_key=True, max_length=30)
    #: The last call that was not answered 2xx: the silence of earlier requests proves nothing.
    refused_at = models.DateTimeField(null=True)
    #: Events so far about mail of other installations or applications on the same account: ignored.
    foreign_events = models.PositiveBigIntegerField(default=0, db_default=0)

    wagtail_reference_index_ignore = True

    def __str__(self) -> str:
        return self.provider
