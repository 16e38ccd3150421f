"""How lists grow: every list's figures are stored once for each day, since what a list was like cannot be found out later."""

from datetime import UTC, timedelta

from django.db import connection
from django.db.models import QuerySet
from django.db.models.functions import Now, TruncDate

from subscribers.models import ListGrowth

#: A day is stored for all lists together or not at all: a list that is made after midnight was not there the day before.
#: Readers who were erased are no longer told apart, so each of their consents counts.
_STORE = """
WITH over AS (
    SELECT day, day::timestamp AT TIME ZONE 'UTC' AS begins, (day + 1)::timestamp AT TIME ZONE 'UTC' AS ends
      FROM (SELECT (now() AT TIME ZONE 'UTC')::date - 1 AS day) AS yesterday
     WHERE NOT EXISTS (SELECT 1 FROM subscribers_listgrowth g WHERE g.day = yesterday.day)
), said AS (
    SELECT c.list_id,
           count(DISTINCT COALESCE(c.subscriber_id, -c.id)) FILTER (WHERE c.kind = 'given') AS gained,
           count(DISTINCT COALESCE(c.subscriber_id, -c.id)) FILTER (WHERE c.kind = 'withdrawn') AS lost
      FROM over JOIN subscribers_consent c ON c.at >= over.begins AND c.at < over.ends
     GROUP BY c.list_id
), is_on AS (
    SELECT n.list_id,
           count(*) FILTER (WHERE n.status = 'active') AS active,
           count(*) FILTER (WHERE n.status = 'pending') AS pending,
           count(*) FILTER (WHERE n.status = 'unsubscribed') AS unsubscribed
      FROM subscribers_subscription n
     WHERE EXISTS (SELECT 1 FROM over)
     GROUP BY n.list_id
)
INSERT INTO subscribers_listgrowth (list_id, day, active, pending, unsubscribed, gained, lost)
SELECT l.id, over.day, COALESCE(is_on.active, 0), COALESCE(is_on.pending, 0), COALESCE(is_on.unsubscribed, 0),
       COALESCE(said.gained, 0), COALESCE(said.lost, 0)
  FROM over CROSS JOIN subscribers_list l
  LEFT JOIN is_on ON is_on.list_id = l.id
  LEFT JOIN said ON said.list_id = l.id
 ORDER BY l.id
ON CONFLICT DO NOTHING
"""


def store_yesterday() -> int:
    """Store the figures of the day that ended last (UTC) for every list; for how many. 0 once that was done, and it is never changed."""
    with connection.cursor() as cursor:
        cursor.execute(_STORE)
        return int(cursor.rowcount)


def last_days(days: int) -> "QuerySet[ListGrowth]":
    """What is stored of the last `days` days that are over, of all lists, the oldest first. Days on which nothing ran are missing."""
    today = TruncDate(Now(), tzinfo=UTC)
    return ListGrowth.objects.filter(day__gte=today - timedelta(days=days)).order_by("day", "list__slug")
