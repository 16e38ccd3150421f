"""Receipts that were signed and cannot be read: told of, tried again, or set aside for good by a person.

As long as there is one no silence is believed, for it may prove that a request was accepted. One alarm stands for all of them: a provider
that changes its words makes thousands.
"""

from collections.abc import Collection
from datetime import timedelta

import structlog
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from tasks import queue
from tasks.alarms.raising import clear_alarms, raise_alarm
from tasks.models import Alarm, Receipt

log = structlog.get_logger(__name__)

_AGAIN_AFTER = timedelta(days=1)


def unreadable() -> "QuerySet[Receipt]":
    """Those that nobody has settled, the oldest first, without their bodies."""
    return Receipt.objects.filter(applied_at=None).exclude(error="").order_by("pk").defer("body")


def tell(receipt_id: int, error: str) -> None:
    """Raise the alarm about one that was just read in vain; while others wait, unless one is open or not a day old. Raises the database's errors."""
    others_wait = unreadable().exclude(pk=receipt_id).exists()
    _tell(receipt_id, error, again_after=_AGAIN_AFTER if others_wait else None)


def _tell(receipt_id: int, error: str, *, again_after: timedelta | None) -> None:
    raise_alarm(
        Alarm.Code.RECEIPT_UNREADABLE,
        f"Receipt {receipt_id} was signed but cannot be read ({error[:250]}). No silence is believed until it and others like it are "
        f"settled: newsdesk receipts --set-aside {receipt_id}.",
        mail=True,
        again_after=again_after,
    )


def look() -> None:
    """Tell again of what waits since yesterday though somebody cleared its alarm; clear the alarm once nothing does."""
    oldest = unreadable().first()
    if oldest is not None:
        _tell(oldest.pk, oldest.error, again_after=_AGAIN_AFTER)
    # One that is to be tried again may turn out to be as unreadable as before.
    elif not Receipt.objects.filter(applied_at=None).exists():
        clear_alarms(Alarm.Code.RECEIPT_UNREADABLE)


@transaction.atomic
def set_aside(receipt_ids: Collection[int], *, who: str) -> list[int]:
    """Give up what these say, for good: silence is judged again without them. Which of them waited for it.

    They stay in the table, with who and when. Raises the database's errors.
    """
    found = _held(receipt_ids)
    Receipt.objects.filter(pk__in=found).update(applied_at=Now(), set_aside_at=Now(), set_aside_by=who[:200])
    if found:
        log.warning("receipts_set_aside", receipts=found, who=who)
        _clear_if_none_is_left()
    return found


@transaction.atomic
def try_again(receipt_ids: Collection[int]) -> list[int]:
    """Have these read once more, by a Newsdesk that may know more by now; which of them waited for it. Raises the database's errors."""
    found = _held(receipt_ids)
    Receipt.objects.filter(pk__in=found).update(error="")
    for receipt_id in found[:1]:
        # It wakes a worker, who takes whatever waits.
        queue.on_commit(queue.enqueue_receipt, receipt_id)
    return found


def _held(receipt_ids: Collection[int]) -> list[int]:
    held = unreadable().filter(pk__in=receipt_ids).select_for_update()
    return list(held.values_list("pk", flat=True))


def _clear_if_none_is_left() -> None:
    if not unreadable().exists():
        clear_alarms(Alarm.Code.RECEIPT_UNREADABLE)
