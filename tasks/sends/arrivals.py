"""A send that the provider took, and of which little is reported to have arrived: `sent` says only that it was taken.

An account that was shut, a quota that is spent, a filter of the provider's own: each request is answered with "accepted", and nobody
gets anything. Or it arrives, and the reports do not: then nothing that they are for happens either.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db.models.functions import Now

from tasks.alarms.raising import raise_alarm
from tasks.database.statements import run
from tasks.models import Alarm, Send
from tasks.models.batch import live_sql
from tasks.providers import registry

#: Nearly all that arrives has arrived by then; later nobody looks any more.
_REPORTED_WITHIN = timedelta(hours=1)
_LOOKED_AT_FOR = timedelta(days=3)
#: They say the same, or why.
_TOLD = (Alarm.Code.FEW_DELIVERED, Alarm.Code.MANY_BOUNCED, Alarm.Code.MANY_DROPPED)

_READ = f"""
SELECT b.send_id, a.transport, sum({live_sql("b")})::bigint, sum(b.delivered)::bigint, sum(b.bounced)::bigint, sum(b.dropped)::bigint
  FROM tasks_batch b JOIN tasks_attempt a ON a.id = b.attempt
 WHERE b.send_id = ANY(%b::bigint[]) AND b.status = 'submitted'
 GROUP BY b.send_id, a.transport
"""  # noqa: S608 - made of constants


#: Not over, since a part is in doubt and waits for a person, and nothing else of it is left to be sent.
_IN_DOUBT_ALONE = """
SELECT s.id FROM tasks_send s
 WHERE s.status = 'sending' AND s.id <> ALL(%b::bigint[])
   AND NOT EXISTS (SELECT 1 FROM tasks_batch b WHERE b.send_id = s.id AND b.status IN ('pending', 'building', 'submitting'))
   AND (SELECT max(a.fenced_at) FROM tasks_batch b JOIN tasks_attempt a ON a.batch_id = b.id WHERE b.send_id = s.id)
       BETWEEN statement_timestamp() - %b::interval AND statement_timestamp() - %b::interval
"""


@dataclass(kw_only=True, slots=True)
class _Reported:
    """Readers of a send whom providers with reports had accepted, and what became of them."""

    accepted: int = 0
    delivered: int = 0
    bounced: int = 0
    dropped: int = 0


def look() -> None:
    """Raise the alarms about sends that ended in the last days, but for the last hour; each once. Raises the database's errors.

    A send of which a part is in doubt has not ended, perhaps for good; it is asked like the others once the rest is out.
    """
    over = Send.objects.filter(
        status=Send.Status.SENT, finished_at__range=(Now() - _LOOKED_AT_FOR, Now() - _REPORTED_WITHIN)
    ).exclude(alarms__code__in=_TOLD)
    told = list(Alarm.objects.filter(code__in=_TOLD, send__status=Send.Status.SENDING).values_list("send", flat=True))
    in_doubt = [send_id for (send_id,) in run(_IN_DOUBT_ALONE, (told, _LOOKED_AT_FOR, _REPORTED_WITHIN))]
    for send_id, found in _read([*over.values_list("pk", flat=True), *in_doubt]).items():
        if 2 * found.delivered < found.accepted:
            raise_alarm(Alarm.Code.FEW_DELIVERED, _message(send_id, found), send_id=send_id, mail=True)


def _read(send_ids: Iterable[int]) -> dict[int, _Reported]:
    by_send: dict[int, _Reported] = {}
    for send_id, transport, accepted, delivered, bounced, dropped in run(_READ, (list(send_ids),)):
        if registry.reports(transport):
            found = by_send.setdefault(send_id, _Reported())
            found.accepted += accepted
            found.delivered += delivered
            found.bounced += bounced
            found.dropped += dropped
    return by_send


def _message(send_id: int, found: _Reported) -> str:
    silent = max(found.accepted - found.delivered - found.bounced - found.dropped, 0)
    return (
        f"Nothing more of send {send_id} was posted for an hour, and of {found.accepted:,} readers whose mails were accepted {found.delivered:,} are reported "
        f"to have got it: {found.bounced:,} bounced, {found.dropped:,} were dropped by the provider, of {silent:,} nothing is known yet. "
        "Look at the account at the provider, and at whether its event webhook reaches this installation."
    )
