"""A reader leaves through the link in their mail."""

import structlog
from django.db import InterfaceError, OperationalError, connection, transaction

from subscribers import suppression
from tasks.feedback.flags import mark_unsubscribed

log = structlog.get_logger(__name__)

#: That they left is kept first, whatever becomes of counting it: the send's deliveries may be locked for long while they are sealed.
_COUNT_WITHIN = "SET LOCAL lock_timeout = '2s'"


def unsubscribe(*, publication_id: int, send_id: int, subscriber_id: int, source: str) -> bool:
    """Take the reader off the publication's lists, and count it once for the send the link came in (0 = none) if that can be done now.

    False when they had left already. `source` is kept as proof. A subscriber who no longer exists changes nothing.
    """
    with transaction.atomic():
        has_left = suppression.unsubscribe(subscriber_id, publication_id, source)
    if send_id and subscriber_id:
        _count(send_id, subscriber_id)
    return has_left


def _count(send_id: int, subscriber_id: int) -> None:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_COUNT_WITHIN)
            mark_unsubscribed(send_id, subscriber_id)
    except (OperationalError, InterfaceError) as error:
        log.warning("unsubscribe_not_counted", send=send_id, error=str(error).strip())
