"""How the last try went by each way that alarms leave by beside the usual one."""

from enum import StrEnum

from django.db import models
from django.db.models.functions import Now


class AlarmWay(models.Model):
    """One way; no row until it was tried. What is said of it here becomes an alarm (`tasks.alarms.ways`)."""

    class Name(StrEnum):
        """Which way."""

        #: NEWSDESK_ALARM_SMTP_URL
        MAIL_SERVER = "mail server"
        #: NEWSDESK_ALARM_URL
        URL = "url"

    #: One of AlarmWay.Name.
    name = models.CharField(primary_key=True, max_length=20)
    #: Tries in a row that failed.
    failures = models.PositiveIntegerField(default=0, db_default=0)
    #: What went wrong with the last of them.
    said = models.CharField(max_length=400, blank=True, default="", db_default="")

    #: Nothing is tried before; of the URL alone, where it is also until when one worker has it for itself.
    not_before = models.DateTimeField(db_default=Now())

    wagtail_reference_index_ignore = True

    def __str__(self) -> str:
        return self.name
