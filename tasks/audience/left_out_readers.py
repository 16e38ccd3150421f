"""Which readers a send left out because another had them, which was then cancelled."""

from subscribers.sql import SqlCondition
from tasks.database.statements import run

#: Members of a cancelled batch of the send, whom an open or finished one left out because of it and no other has since.
_LEFT_OUT = """
SELECT x.subscriber_id FROM tasks_exclusion x
  JOIN tasks_send leaving ON leaving.id = x.send_id AND leaving.status <> 'cancelled'
  JOIN tasks_delivery d ON d.send_id = x.other_send_id AND d.subscriber_id = x.subscriber_id
  JOIN tasks_batch b ON b.id = d.batch_id AND b.status = 'cancelled'
 WHERE x.other_send_id = %s
   AND NOT EXISTS (SELECT 1 FROM tasks_exclusion own
                    WHERE own.send_id = d.send_id AND own.subscriber_id = d.subscriber_id)
   AND NOT EXISTS (SELECT 1 FROM tasks_delivery elsewhere
                     JOIN tasks_send s ON s.id = elsewhere.send_id AND s.edition_id = leaving.edition_id
                     JOIN tasks_batch t ON t.id = elsewhere.batch_id AND t.status NOT IN ('failed', 'cancelled')
                    WHERE elsewhere.subscriber_id = x.subscriber_id
                      AND NOT EXISTS (SELECT 1 FROM tasks_exclusion o
                                       WHERE o.send_id = elsewhere.send_id AND o.subscriber_id = elsewhere.subscriber_id))
"""
_COUNT = f"SELECT count(DISTINCT subscriber_id) FROM ({_LEFT_OUT}) readers"  # noqa: S608 - made of constants
_BY = "SELECT DISTINCT send_id FROM tasks_exclusion WHERE other_send_id = %s ORDER BY send_id"


def condition(send_id: int) -> SqlCondition:
    """A condition over ``s`` (subscribers_subscriber): left out elsewhere because of this cancelled send, and without the edition."""
    return SqlCondition(f"s.id IN ({_LEFT_OUT})", (send_id,))


def count(send_id: int) -> int:
    """How many those are. Raises the database's errors, as below."""
    ((readers,),) = run(_COUNT, [send_id])
    return int(readers)


def leaving_sends(send_id: int) -> list[int]:
    """The sends that left readers out because of this one."""
    return [leaving for (leaving,) in run(_BY, [send_id])]
