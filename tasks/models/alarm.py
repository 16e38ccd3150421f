"""Something a person must look at."""

from enum import StrEnum

from django.db import models
from django.db.models.functions import Now


class Alarm(models.Model):
    """One thing to look at; open until `cleared_at` is set."""

    class Code(StrEnum):
        """What it is about, in one word; the explanation for people stands in `message`."""

        #: A send was paused by Newsdesk itself or by a person.
        SEND_PAUSED = "send_paused"
        #: More of a send's readers were refused than may be, while it went out or at its end.
        MANY_FAILED = "many_failed"
        #: More of a send's readers bounced, or complained, than may be.
        MANY_BOUNCED = "many_bounced"
        MANY_COMPLAINED = "many_complained"
        #: More of them than may bounce were accepted by the provider and then dropped: a quota, an account that is no longer trusted.
        MANY_DROPPED = "many_dropped"
        #: An hour after its end, fewer than half of a send's readers are reported to have got it, by a provider that reports.
        FEW_DELIVERED = "few_delivered"
        #: A send is over, and by what came in since more bounced, or complained, than mailbox providers put up with.
        BOUNCE_RATE = "bounce_rate"
        COMPLAINT_RATE = "complaint_rate"
        #: A send goes to nobody, or to far fewer than the last one to the same lists.
        FEW_READERS = "few_readers"
        #: A send waits, and nothing of it was accepted for an hour.
        STALLED = "stalled"
        #: A send is due, and the database ends its preparation each time.
        UNPREPARED = "unprepared"
        #: A batch was lost by its workers so often that it has failed.
        LOST_ATTEMPTS = "lost_attempts"
        #: A send was cancelled whose readers others had left out because of it.
        LEFT_OUT = "left_out"
        #: The provider accepted a batch more than once.
        ACCEPTED_TWICE = "accepted_twice"
        #: Readers of unknown batches wait for a person's decision.
        IN_DOUBT = "in_doubt"
        #: The database was restored or promoted under a send.
        DATABASE_MOVED = "ground_moved"
        #: The mark of what was sent is missing: a person says whether this database is the newest.
        MARK_MISSING = "mark_missing"
        #: The home was copied or restored from a backup, with the mark: a person says whether anything was sent since.
        HOME_COPIED = "home_copied"
        #: The provider leaves requests without an answer.
        BREAKER_OPEN = "breaker_open"
        #: This machine does not know a publication's timezone any more: its slots wait.
        TIMEZONE_UNKNOWN = "timezone_unknown"
        #: The slot is near and its edition is not approved.
        SLOT_UNAPPROVED = "slot_unapproved"
        #: A source has changed since a story of the edition was written, and its time is near.
        SOURCE_CHANGED = "source_changed"
        #: A slot is over, and its edition did not go out.
        SLOT_MISSED = "slot_missed"
        #: A send was approved again after its time: now, or with the next slot?
        SEND_HELD = "send_held"
        #: A signed webhook body cannot be read.
        RECEIPT_UNREADABLE = "receipt_unreadable"
        #: Reports have waited for an hour to be applied.
        REPORTS_WAITING = "reports_waiting"
        #: The mailbox that undeliverable mail comes back to cannot be read.
        BOUNCES_UNREAD = "bounces_unread"
        #: The provider had stopped mailing readers and no webhook had reported it.
        SUPPRESSIONS_MISSING = "suppressions_missing"
        #: The database's clock was ahead, and what it had dated was put right.
        CLOCK_AHEAD = "clock_ahead"
        #: The disk of the home is nearly full.
        DISK_SPACE = "disk_space"
        #: The server that mails about alarms go by first does not take them.
        ALARM_MAIL_SERVER = "alarm_mail_server"
        #: The address that alarms are posted to does not take them.
        ALARM_URL = "alarm_url"
        #: A publication's sunset rule means readers, and nobody has agreed to it yet.
        SUNSET = "sunset"

    #: Of these a person is asked what the database is, and nothing goes out meanwhile.
    DATABASE_UNCONFIRMED = (Code.MARK_MISSING, Code.HOME_COPIED)

    send = models.ForeignKey("tasks.Send", null=True, on_delete=models.CASCADE, related_name="alarms")
    #: One of Alarm.Code.
    code = models.CharField(max_length=40)
    message = models.CharField(max_length=500)
    raised_at = models.DateTimeField(db_default=Now())
    cleared_at = models.DateTimeField(null=True)
    #: What it is about, beside or instead of a send.
    publication = models.ForeignKey(
        "composer.Publication", null=True, blank=True, on_delete=models.CASCADE, related_name="alarms"
    )
    edition = models.ForeignKey(
        "composer.Edition", null=True, blank=True, on_delete=models.CASCADE, related_name="alarms"
    )
    #: When mails to the editors were written about it.
    mailed_at = models.DateTimeField(null=True)

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.message
