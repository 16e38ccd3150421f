"""How many readers something would mail, told before it is done: it is done, counted as preparation counts, and rolled back."""

from typing import Any

from django.db import connection, transaction

from tasks.audience.freezing import sort_candidates
from tasks.models import Send
from tasks.sends.resend_to_missed import resend_to_missed


def of_unprepared(send: Send) -> int:
    """Readers who would get this send if it were prepared now. Raises as preparing it does."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            readers, _ = sort_candidates(cursor, send)
        transaction.set_rollback(True)
    return readers


def of_rest(send_id: int, *, by: Any) -> int:
    """Readers whom `resend_to_missed` would reach now. Raises as that does."""
    with transaction.atomic():
        rest = resend_to_missed(send_id, by=by).send
        with connection.cursor() as cursor:
            readers, _ = sort_candidates(cursor, rest)
        transaction.set_rollback(True)
    return readers
