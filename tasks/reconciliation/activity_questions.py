"""What the provider's activity feed is asked: which doubtful requests, with which of their readers, and which later ones beside them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from tasks.database.statements import run
from tasks.models import Batch
from tasks.providers.base import ActivityQuestion
from tasks.reconciliation import probes
from tasks.reconciliation.silence_conditions import HEARD_SHARE, LATER_REQUESTS
from tasks.submission.messages import message_of

#: Later requests that are asked for beside a doubt: more than must be known, for the address of a reader may have changed.
LATER_ASKED = LATER_REQUESTS + 2

#: Younger ones may be on their way. Those that somebody has left are nobody's question; where the database moved a message that is
#: found proves as much as ever.
_DOUBTFUL = """
SELECT a.id, a.batch_id, b.send_id, a.number, a.fenced_at, COALESCE(a.finished_at, a.fenced_at)
  FROM tasks_attempt a
  JOIN tasks_batch b ON b.id = a.batch_id AND b.attempt = a.id AND b.status = 'unknown'
 WHERE a.outcome = 'unknown' AND a.transport = %s AND NOT a.evidence @> '[{"decided": "leave"}]'
   AND COALESCE(a.finished_at, a.fenced_at) < statement_timestamp() - make_interval(secs => %s)
 ORDER BY a.fenced_at
"""
#: The first members, the middle one and the last one, with the addresses they have now.
_MEMBERS = """
SELECT email FROM (
    SELECT s.email, row_number() OVER (ORDER BY d.subscriber_id) AS place, count(*) OVER () AS members
      FROM tasks_delivery d JOIN subscribers_subscriber s ON s.id = d.subscriber_id
     WHERE d.send_id = %s AND d.batch_id = %s
       AND NOT EXISTS (SELECT 1 FROM tasks_exclusion x
                        WHERE x.send_id = d.send_id AND x.subscriber_id = d.subscriber_id AND x.attempt <= %s)) AS member
 WHERE place IN (1, (members + 1) / 2, members) ORDER BY place
"""
#: The nearest ones after a doubt of which most members were heard: what the feed knows of these, it would know of the doubt.
_LATER = """
SELECT later.id, later.batch_id, b.send_id, later.number, later.fenced_at, later.provider_id,
       jsonb_path_query_first(later.evidence, '$[*] ? (@.kind == "probe").for_batch')::bigint
  FROM tasks_attempt later LEFT JOIN tasks_batch b ON b.id = later.batch_id
 WHERE later.transport = %s AND later.outcome = 'accepted' AND later.size > 0 AND later.provider_id <> ''
   AND later.fenced_at > %s AND later.heard >= later.size * %s
 ORDER BY later.fenced_at LIMIT %s
"""
#: Requests, and single mails, whose messages can be no doubt's; who opens the mail of last week is listed with that.
_ACCEPTED = """
SELECT provider_id FROM tasks_attempt
 WHERE transport = %s AND outcome = 'accepted' AND provider_id <> '' AND fenced_at > %s - interval '15 days'
UNION SELECT provider_id FROM tasks_letter WHERE provider_id <> '' AND created_at > %s - interval '15 days'
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Doubtful:
    """An attempt that the feed may be asked about."""

    attempt: UUID
    batch_id: int
    send_id: int
    number: int
    begun_at: datetime
    ended_at: datetime


class Questions(NamedTuple):
    doubts: list[ActivityQuestion]
    #: By the attempt in doubt: the later requests that were asked for beside it.
    later: dict[UUID, list[ActivityQuestion]]

    @property
    def all(self) -> list[ActivityQuestion]:
        """Each once."""
        later = {question.attempt: question for questions in self.later.values() for question in questions}
        return [*self.doubts, *later.values()]


def doubtful(transport: str, *, older_than: float) -> list[Doubtful]:
    """Attempts that have been unknown for so many seconds, the oldest first."""
    return [
        Doubtful(
            attempt=attempt, batch_id=batch_id, send_id=send_id, number=number, begun_at=begun_at, ended_at=ended_at
        )
        for attempt, batch_id, send_id, number, begun_at, ended_at in run(_DOUBTFUL, (transport, older_than))
    ]


def questions_about(transport: str, doubts: Iterable[Doubtful], *, with_later: Iterable[UUID]) -> Questions:
    """A question for each doubt that has a member left to ask for; later requests beside those whose absence may mean something."""
    questions, later = [], {}
    for doubt in doubts:
        addresses = _addresses(doubt.send_id, doubt.batch_id, doubt.number)
        if not addresses:
            continue
        questions.append(ActivityQuestion(attempt=doubt.attempt, addresses=addresses, begun_at=doubt.begun_at))
        if doubt.attempt in with_later:
            later[doubt.attempt] = _later(transport, doubt)
    return Questions(questions, later)


def accepted_ids(transport: str, *, since: datetime) -> frozenset[str]:
    """What the provider called requests it accepted, some time before `since` too."""
    return frozenset(provider_id for (provider_id,) in run(_ACCEPTED, (transport, since, since)))


def _later(transport: str, doubt: Doubtful) -> list[ActivityQuestion]:
    found = []
    rows = run(_LATER, (transport, doubt.ended_at, HEARD_SHARE, LATER_ASKED))
    for attempt, batch_id, send_id, number, begun_at, provider_id, for_batch in rows:
        addresses = _addresses(send_id, batch_id, number)[:1] if batch_id else _address_of_probe(for_batch)
        if addresses:
            found.append(
                ActivityQuestion(attempt=attempt, addresses=addresses, begun_at=begun_at, provider_id=provider_id)
            )
    return found


def _addresses(send_id: int, batch_id: int, number: int) -> tuple[str, ...]:
    return tuple(email for (email,) in run(_MEMBERS, (send_id, batch_id, number)))


def _address_of_probe(for_batch: int | None) -> tuple[str, ...]:
    """Empty for an old probe, which does not say which batch it was for, and for an attempt that was lost."""
    batch = Batch.objects.select_related("variant__approval__edition__publication").filter(pk=for_batch or 0).first()
    return (probes.address_of(message_of(batch.variant, send_id=batch.send_id)),) if batch else ()
