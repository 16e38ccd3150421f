"""Reports that wait for long to be applied tell a person: each is tried again for ever, and what it says counts for nothing meanwhile."""

from datetime import timedelta

from django.db.models.functions import Now

from tasks.alarms.raising import clear_alarms, raise_alarm
from tasks.feedback import unreadable_receipts
from tasks.models import Alarm, Receipt

PATIENCE = timedelta(hours=1)
_AGAIN_AFTER = timedelta(days=1)
MESSAGE = (
    "Reports of the provider have waited for more than an hour to be applied, and unsubscribes, complaints and bounces among them count for "
    "nothing until they are. They are tried again each minute; the log of the workers says why (receipt_not_applied)."
)


def look() -> None:
    """Raise the alarm while a report waits for so long, and clear it when none does; and look after those that cannot be read.

    Raises the database's errors.
    """
    unreadable_receipts.look()
    if Receipt.objects.filter(applied_at=None, error="", received_at__lt=Now() - PATIENCE).exists():
        raise_alarm(Alarm.Code.REPORTS_WAITING, MESSAGE, mail=True, again_after=_AGAIN_AFTER)
    else:
        clear_alarms(Alarm.Code.REPORTS_WAITING)
