"""Webhook calls that were taken, so that none is taken twice."""

from django.db import models


class WebhookCall(models.Model):
    """One signed call: whoever captured it and posts it again adds nothing."""

    provider = models.CharField(max_length=30)
    #: What the provider's signature was, in 16 bytes: `Webhook.call`.
    digest = models.BinaryField(max_length=16)
    #: By the provider's clock, which signed it.
    signed_at = models.DateTimeField()

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [models.UniqueConstraint(fields=["provider", "digest"], name="tasks_webhook_call_once")]
        indexes = [models.Index(fields=["signed_at"], name="tasks_webhook_call_signed_at")]

    def __str__(self) -> str:
        return f"{self.provider} {bytes(self.digest).hex()}"
