"""Up to a thousand deliveries that go out in one request, and every try at it."""

import uuid

from django.db import models
from django.db.models.functions import Now

#: The most deliveries of a batch: what the provider with the smallest requests takes in one (SendGrid: mail/send, "personalizations").
BATCH_SIZE = 1000


def live_sql(row: str = "") -> str:
    """An SQL expression: how many members of this batch have no exclusion since preparation. `row`: its table's name or alias."""
    return " - ".join(f"{row}.{column}" if row else column for column in ("size", "excluded", "failed"))


class BatchQuerySet(models.QuerySet["Batch"]):
    def undecided(self) -> "BatchQuerySet":
        """Unknown, and nobody has left them as they are."""
        return self.filter(status=Batch.Status.UNKNOWN).exclude(left_after_claims=models.F("attempts"))

    def unsettled(self) -> "BatchQuerySet":
        """May still go out: on their way there, or undecided."""
        return self.filter(status__in=["pending", "building", "submitting"]) | self.undecided()


class Batch(models.Model):
    """The queue of record. pending → building → submitting → submitted | unknown | failed | cancelled."""

    class Status(models.TextChoices):
        """Where its one request stands (docs/architecture.md, "Delivery")."""

        PENDING = "pending", "pending"
        BUILDING = "building", "building"
        SUBMITTING = "submitting", "submitting"
        SUBMITTED = "submitted", "submitted"
        UNKNOWN = "unknown", "unknown"
        FAILED = "failed", "failed"
        CANCELLED = "cancelled", "cancelled"

    send = models.ForeignKey("tasks.Send", on_delete=models.PROTECT, related_name="batches", db_index=False)
    variant = models.ForeignKey("composer.Variant", on_delete=models.PROTECT, related_name="+")
    #: Deliveries in it. Changes only after a partial outcome: members with another outcome move to another batch.
    size = models.PositiveIntegerField()
    #: Its request asks for opens and clicks: everybody in it may be tracked, or could when it was frozen.
    tracked = models.BooleanField(default=False, db_default=False)
    #: All its readers are at this domain, which put some of them off (`MailboxDomain`); empty = readers of any.
    mailbox_domain = models.CharField(max_length=255, blank=True, default="", db_default="")
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    #: The attempt that claimed it last.
    attempt = models.UUIDField(null=True)
    #: Claims so far.
    attempts = models.PositiveIntegerField(default=0)
    #: The claims so far when a person left it unknown for good; another claim, and nobody has decided.
    left_after_claims = models.PositiveIntegerField(null=True)
    #: Claims that ended without any evidence of a POST; rounds refused by the provider for recipients at fault.
    lost_attempts = models.PositiveSmallIntegerField(default=0)
    rounds = models.PositiveSmallIntegerField(default=0)
    #: Requests in a row of which nobody got further: how long the next one waits. Not the claims, which a long batch has many of.
    #: Above 0 it is what `not_before` was dated by, and no longer the moment at which the batch was due first (`tasks.sends.control`).
    stalls = models.PositiveSmallIntegerField(default=0, db_default=0)
    not_before = models.DateTimeField(db_default=Now())
    enqueued_at = models.DateTimeField(null=True)
    claimed_at = models.DateTimeField(null=True)
    #: The process that claimed it last (`newsdesk.core.process_identity`): a dead process cannot POST.
    claimed_by = models.CharField(max_length=200, blank=True)
    #: Members with an exclusion since preparation, by its kind.
    excluded = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    delivered = models.PositiveIntegerField(default=0)
    bounced = models.PositiveIntegerField(default=0)
    complained = models.PositiveIntegerField(default=0)
    unsubscribed = models.PositiveIntegerField(default=0)
    opened = models.PositiveIntegerField(default=0)
    clicked = models.PositiveIntegerField(default=0)
    #: Accepted by the provider, which then sent them nothing.
    dropped = models.PositiveIntegerField(default=0, db_default=0)

    objects = BatchQuerySet.as_manager()

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name_plural = "batches"
        indexes = [
            models.Index(fields=["send", "status"], name="tasks_batch_send_status"),
            models.Index(fields=["not_before"], condition=models.Q(status="pending"), name="tasks_batch_pending"),
            models.Index(
                fields=["claimed_at"],
                condition=models.Q(status__in=["building", "submitting", "unknown"]),
                name="tasks_batch_open",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    status__in=["pending", "building", "submitting", "submitted", "unknown", "failed", "cancelled"]
                ),
                name="tasks_batch_status",
            ),
            models.CheckConstraint(
                condition=models.Q(size__gte=models.F("excluded") + models.F("failed")), name="tasks_batch_members"
            ),
            models.CheckConstraint(condition=models.Q(size__range=(1, BATCH_SIZE)), name="tasks_batch_size"),
        ]

    def __str__(self) -> str:
        return f"Batch {self.pk} of send {self.send_id}: {self.status}"

    @property
    def live(self) -> int:
        """Members without an exclusion since preparation; `live_sql` says the same in SQL."""
        return self.size - self.excluded - self.failed


class Attempt(models.Model):
    """One POST of a batch, written by the fence just before its first byte."""

    class Outcome(models.TextChoices):
        """What the evidence proves of the POST so far."""

        OPEN = "", "no outcome yet"
        ACCEPTED = "accepted", "accepted"
        REFUSED = "refused", "refused"
        UNKNOWN = "unknown", "unknown"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    #: None = a probe (one message to the reply-to address, so that a later request exists to compare with), or an
    #: attempt that the provider reported and this database has lost (size 0).
    batch = models.ForeignKey(Batch, null=True, on_delete=models.PROTECT, related_name="attempt_rows", db_index=False)
    #: The batch's claim number; members are those without an exclusion numbered ≤ this.
    number = models.PositiveIntegerField()
    #: Members in the request.
    size = models.PositiveIntegerField()
    fenced_at = models.DateTimeField(db_default=Now())
    #: Its fence's number (`tasks.database.high_water`); none where there was no fence of ours.
    fence = models.BigIntegerField(null=True)
    finished_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=10, choices=Outcome, default=Outcome.OPEN, blank=True)
    http_status = models.PositiveSmallIntegerField(null=True)
    #: The provider's X-Message-Id.
    provider_id = models.CharField(max_length=200, blank=True)
    #: Which key sent it ("sendgrid:<fingerprint>"): silence compares requests on the same key.
    transport = models.CharField(max_length=60)
    #: Passes of reconciliation without any event, since the last evidence.
    silent_passes = models.PositiveSmallIntegerField(default=0)
    #: Members of whom a processed, delivered, bounced or dropped event was received.
    heard = models.PositiveIntegerField(default=0)
    #: What settled it, in the order it was learned: [{"at", "kind", …}].
    evidence = models.JSONField(default=list)

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["batch", "number"], name="tasks_attempt_number"),
        ]
        indexes = [
            models.Index(fields=["transport", "fenced_at"], name="tasks_attempt_transport"),
            models.Index(fields=["fence"], name="tasks_attempt_fence"),
            models.Index(
                fields=["fenced_at"], condition=models.Q(outcome__in=["", "unknown"]), name="tasks_attempt_open"
            ),
        ]

    def __str__(self) -> str:
        return f"Attempt {self.number} of batch {self.batch_id}: {self.outcome or 'open'}"
