"""One subscriber × one send, and those a send leaves out.

A delivery's outcome is its batch's, except for the members that have an exclusion. Submission writes here only when an SMTP
server accepts a part of a request: the others then move to a batch of their own.
No foreign key is checked row by row, no status is indexed, and the table keeps half of each page free for its flags
(fillfactor 50, set in the migration): preparing a million rows would take four times as long otherwise.
Both tables are partitioned by ranges of sends (`tasks.database.partitions`): whoever asks for a batch's deliveries says of which send.
"""

from django.db import models
from django.db.models.functions import Now

from subscribers import audience


class Delivery(models.Model):
    """One subscriber who gets one send, in one of its batches."""

    class Seen(models.IntegerChoices):
        """Bits of what the provider reported; SQL is given them from here."""

        PROCESSED = 1, "processed"
        DELIVERED = 2, "delivered"
        BOUNCED = 4, "bounced"
        COMPLAINED = 8, "complained"
        UNSUBSCRIBED = 16, "unsubscribed"
        OPENED = 32, "opened"
        CLICKED = 64, "clicked"
        DROPPED = 128, "dropped"
        DEFERRED = 256, "deferred"
        #: Set with the first event that names its attempt and shows that the provider had the message in hand, so that a
        #: member is counted for its attempt once, in whatever order events come.
        HEARD = 512, "heard of"
        #: Set once any click is known, a machine's too: then the time of delivery matters, whenever it becomes known.
        LINKS_FOLLOWED = 1024, "links followed"

        def sql(self, column: str = "seen") -> str:
            """An SQL condition on `column`: the bit is set."""
            return f"{column} & {self.value} <> 0"

    pk = models.CompositePrimaryKey("send_id", "subscriber_id")
    send_id = models.BigIntegerField()
    subscriber_id = models.BigIntegerField()
    #: Each partition that is still sent from has an index on it.
    batch_id = models.BigIntegerField()
    seen = models.SmallIntegerField(default=0, db_default=0)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name_plural = "deliveries"

    def __str__(self) -> str:
        return f"{self.send_id}.{self.subscriber_id}"


#: What a batch counts of its deliveries: `Batch` has a column of the same name for each.
COUNTED = (
    Delivery.Seen.DELIVERED,
    Delivery.Seen.BOUNCED,
    Delivery.Seen.COMPLAINED,
    Delivery.Seen.UNSUBSCRIBED,
    Delivery.Seen.OPENED,
    Delivery.Seen.CLICKED,
    Delivery.Seen.DROPPED,
)


def seen_counts_sql(column: str = "seen") -> str:
    """An SQL select list: how many rows have each counted bit set in `column`, under the name of the batch's column."""
    return ", ".join(f"count(*) FILTER (WHERE {flag.sql(column)}) AS {flag.name.lower()}" for flag in COUNTED)


class Exclusion(models.Model):
    """A candidate who does not get it, and why."""

    class Kind(models.TextChoices):
        """Excluded by a rule of ours, or failed at the provider."""

        EXCLUDED = "excluded", "excluded"
        FAILED = "failed", "failed"

    #: In the order in which they are tried: the first that applies is the one that is stated.
    REASONS = (
        *audience.REASONS,
        "already_received",
        "frequency_cap",
        "no_stories",
        "warm_up",
        "cancelled",
    )

    pk = models.CompositePrimaryKey("send_id", "subscriber_id")
    send_id = models.BigIntegerField()
    subscriber_id = models.BigIntegerField()
    kind = models.CharField(max_length=8, choices=Kind)
    reason = models.CharField(max_length=200)
    #: The attempt whose fence wrote it; 0 = at preparation.
    attempt = models.PositiveIntegerField(default=0)
    #: With `already_received`: the send of the edition that has them.
    other_send_id = models.BigIntegerField(null=True)
    at = models.DateTimeField(db_default=Now())

    wagtail_reference_index_ignore = True

    class Meta:
        indexes = [
            # A reader's own history: deliveries have it once their partition is sealed.
            models.Index(fields=["subscriber_id"], name="tasks_exclusion_reader"),
            models.Index(
                fields=["send_id", "subscriber_id"],
                condition=models.Q(attempt__gt=0),
                name="tasks_exclusion_since",
            ),
            models.Index(
                fields=["other_send_id"],
                condition=models.Q(other_send_id__isnull=False),
                name="tasks_exclusion_other_send",
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(kind__in=["excluded", "failed"]), name="tasks_exclusion_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.send_id}.{self.subscriber_id} {self.kind}: {self.reason}"
