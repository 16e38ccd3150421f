"""How many readers something would mail, told before it is done: it is done, counted as preparation counts, and rolled back."""

from collections.abc import Callable
from typing import Any

from django.db import connection, transaction

from tasks.audience.freezing import sort_candidates
from tasks.models import Send
from tasks.sends.resend_to_missed import MissedResend, resend_to_missed, send_to_left_out


def of_unprepared(send: Send) -> int:
    """Readers who would get this send if it were prepared now. Raises as preparing it does."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            readers, _ = sort_candidates(cursor, send)
        transaction.set_rollback(True)
    return readers


def of_rest(send_id: int, *, by: Any) -> int:
    """Readers whom `resend_to_missed` would reach now. Raises as that does."""
    return _of(resend_to_missed, send_id, by)


def of_left_out(send_id: int, *, by: Any) -> int:
    """Readers whom `send_to_left_out` would reach now. Raises as that does."""
    return _of(send_to_left_out, send_id, by)


def _of(schedule: Callable[..., MissedResend], send_id: int, by: Any) -> int:
    with transaction.atomic():
        made = schedule(send_id, by=by).send
        with connection.cursor() as cursor:
            readers, _ = sort_candidates(cursor, made)
        transaction.set_rollback(True)
    return readers
