"""A reader leaves through the link in their mail."""

from django.db import transaction

from subscribers import suppression
from tasks.feedback.flags import mark_unsubscribed


@transaction.atomic
def unsubscribe(*, publication_id: int, send_id: int, subscriber_id: int, source: str) -> bool:
    """Take the reader off the publication's lists, and count it once for the send the link came in (0 = none).

    False when they had left already. `source` is kept as proof. A subscriber who no longer exists changes nothing.
    """
    if send_id and subscriber_id:
        mark_unsubscribed(send_id, subscriber_id)
    return suppression.unsubscribe(subscriber_id, publication_id, source)
