"""The frequency cap: whoever got so many mails within so many days is left out of the next send."""

from datetime import timedelta

from django.db.models.functions import Now

from subscribers.sql import SqlCondition
from tasks.models import Send

#: How many mails each reader got from the sends named. A batch that may have arrived counts, since it is not known.
_RECENT = """
LEFT JOIN (SELECT d.subscriber_id, count(*) AS mails
             FROM tasks_delivery d JOIN tasks_batch b ON b.id = d.batch_id
             LEFT JOIN tasks_exclusion x ON x.send_id = d.send_id AND x.subscriber_id = d.subscriber_id
            WHERE d.send_id = ANY(%s) AND b.status NOT IN ('failed', 'cancelled') AND x.send_id IS NULL
            GROUP BY d.subscriber_id) recent ON recent.subscriber_id = a.subscriber_id
"""


def conditions(send: Send) -> tuple[SqlCondition, SqlCondition]:
    """The condition that a reader `a` has reached the cap, and the join that counts their recent mails."""
    publication = send.edition.publication
    none = SqlCondition("false"), SqlCondition("")
    if not (publication.frequency_cap and publication.frequency_days):
        return none
    since = Now() - timedelta(days=publication.frequency_days)
    recent_sends = list(Send.objects.filter(prepared_at__gt=since).exclude(pk=send.pk).values_list("pk", flat=True))
    if not recent_sends:
        return none
    return SqlCondition("recent.mails >= %s", (publication.frequency_cap,)), SqlCondition(_RECENT, (recent_sends,))
