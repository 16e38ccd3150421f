"""Warming up a sender's domain with those first who are surest to want its mail: mailbox providers learn from what readers do.

By editions: the first goes to so many readers, the second to more; whoever is left out of one is excluded, reason `warm_up`. By
days: everybody gets the edition, and the batches are cut and claimed in this order. The readers come by their latest real open or
click among the last editions of the publication (whoever clicked before whoever only opened), then those who were added last.
"""

from django.db.backends.utils import CursorWrapper

from newsdesk.core import advisory_locks
from newsdesk.core.advisory_locks import AdvisoryLock
from tasks.models import Delivery, Send
from tasks.models.batch import live_sql
from tasks.throttling import warm_up

#: Editions of the publication that are looked at: older habits say little, and each costs a look at all its readers.
LAST_EDITIONS = 10

_SENDS = """
SELECT s.id FROM tasks_send s
 WHERE s.prepared_at IS NOT NULL AND s.edition_id IN (
       SELECT s.edition_id FROM tasks_send s JOIN composer_edition e ON e.id = s.edition_id
        WHERE e.publication_id = %s AND s.prepared_at IS NOT NULL
        GROUP BY s.edition_id ORDER BY max(s.prepared_at) DESC LIMIT %s)
"""
_PLACES = f"""
CREATE TEMPORARY TABLE places ON COMMIT DROP AS
SELECT p.subscriber_id,
       row_number() OVER (ORDER BY e.latest DESC NULLS LAST, e.clicked DESC NULLS LAST, p.subscriber_id DESC) AS place
  FROM prepared p
  LEFT JOIN (SELECT d.subscriber_id, max(d.send_id) AS latest, bool_or({Delivery.Seen.CLICKED.sql("d.seen")}) AS clicked
               FROM tasks_delivery d
              WHERE d.send_id = ANY(%s)
                AND ({Delivery.Seen.OPENED.sql("d.seen")} OR {Delivery.Seen.CLICKED.sql("d.seen")})
              GROUP BY d.subscriber_id) e ON e.subscriber_id = p.subscriber_id
 WHERE p.reason IS NULL
"""  # noqa: S608 - made of constants
_LEAVE_OUT = """
UPDATE prepared p SET reason = 'warm_up', variant_id = NULL
  FROM places WHERE places.subscriber_id = p.subscriber_id AND places.place > %s
"""
#: Readers who have this edition from the domain already, in other sends of it.
_HAVE_IT = f"""
SELECT COALESCE(sum({live_sql("b")}), 0) FROM tasks_batch b JOIN tasks_send s ON s.id = b.send_id
 WHERE s.edition_id = %s AND s.id <> %s AND s.sender_domain = %s AND b.status NOT IN ('failed', 'cancelled')
"""  # noqa: S608 - made of constants


def arrange(cursor: CursorWrapper, send: Send) -> bool:
    """Leave out of the temporary table `prepared` whom the warm-up leaves out; whether the table `places` says who comes first.

    For a send whose domain is not warming up nothing is done. Call it inside a transaction.
    """
    plan = warm_up.plan_of(send.sender_domain)
    if plan is None or not (plan.editions or plan.ceilings):
        return False
    if plan.editions:
        # Two editions that are prepared at the same time must not both be the third.
        advisory_locks.lock_for_transaction(cursor, AdvisoryLock.WARM_UP)
    most = warm_up.most_of_edition(send.sender_domain, send.edition_id)
    by_days = warm_up.is_limited_today(send.sender_domain)
    if most is None and not by_days:
        return False
    cursor.execute(_SENDS, [send.edition.publication_id, LAST_EDITIONS])
    sends = [send_id for (send_id,) in cursor.fetchall()]
    cursor.execute(_PLACES, [sends])
    if most is not None:
        cursor.execute(_HAVE_IT, [send.edition_id, send.pk, send.sender_domain])
        (have_it,) = cursor.fetchone()
        cursor.execute(_LEAVE_OUT, [max(most - int(have_it), 0)])
    return True
