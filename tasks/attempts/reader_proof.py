"""A report about one reader's mail proves that the server had accepted that mail, and nothing about the others of its request.

Over SMTP each reader of a request fares for themselves, so a report settles its reader: they leave the batch that is in doubt
for one that is submitted, and the others stay in doubt. When all are told of, the batch itself is settled. So does an answer that
comes when its batch has gone another way (`tasks.submission.late_answers`).

A reader's requests have different numbers, however often their batch was divided: claims are counted on in each part. So whoever
stands in a batch that was accepted under another number has the edition twice.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID, uuid4

import structlog
from django.db import transaction
from django.db.models import F, Q

from tasks.attempts import moving
from tasks.attempts.proof import GIVEN_UP, alarm_if_sent_again, prove_accepted
from tasks.database.statements import run
from tasks.models import Attempt, Batch, Delivery, evidence
from tasks.providers import registry
from tasks.sends import finishing

log = structlog.get_logger(__name__)

#: (send, subscriber)
Key = tuple[int, int]
#: A batch that is being submitted has its outcome soon; what is left in doubt then is caught up with (`catch_up`). But whom an earlier
#: request has reached leaves it at once: were this one refused, they would be mailed with the others again.
_OPEN = [
    Batch.Status.UNKNOWN,
    Batch.Status.PENDING,
    Batch.Status.BUILDING,
    Batch.Status.CANCELLED,
    Batch.Status.FAILED,
]
#: Who was excluded since is not in it any more, and will not be sent anything.
_NOT_EXCLUDED = (
    "NOT EXISTS (SELECT 1 FROM tasks_exclusion x WHERE x.send_id = d.send_id AND x.subscriber_id = d.subscriber_id)"
)
_IN_DOUBT = f"""
SELECT b.id, array_agg(d.subscriber_id ORDER BY d.subscriber_id), r.attempt
  FROM unnest(%b::bigint[], %b::bigint[], %b::uuid[]) AS r (send_id, subscriber_id, attempt)
  JOIN tasks_delivery d ON d.send_id = r.send_id AND d.subscriber_id = r.subscriber_id
  JOIN tasks_batch b ON b.id = d.batch_id
   AND (b.status = ANY(%b::text[]) OR (b.status = 'submitting' AND b.attempt IS DISTINCT FROM r.attempt))
 WHERE {_NOT_EXCLUDED}
 GROUP BY b.id, r.attempt ORDER BY b.id, r.attempt
"""  # noqa: S608 - made of constants
_STILL_IN_DOUBT = f"""
SELECT d.subscriber_id FROM tasks_delivery d
 WHERE d.send_id = %b AND d.batch_id = %b AND d.subscriber_id = ANY(%b::bigint[]) AND {_NOT_EXCLUDED} ORDER BY d.subscriber_id
"""  # noqa: S608
#: Their batch was sent again by a person's decision, and accepted; now another request proves to have reached them too.
_SENT_AGAIN = """
SELECT DISTINCT b.id, named.id
  FROM unnest(%b::bigint[], %b::bigint[], %b::uuid[]) AS r (send_id, subscriber_id, attempt)
  JOIN tasks_delivery d ON d.send_id = r.send_id AND d.subscriber_id = r.subscriber_id
  JOIN tasks_batch b ON b.id = d.batch_id AND b.status = 'submitted'
  JOIN tasks_attempt named ON named.id = r.attempt
  JOIN tasks_batch first ON first.id = named.batch_id AND first.send_id = b.send_id
 WHERE EXISTS (SELECT 1 FROM tasks_attempt a WHERE a.batch_id = b.id AND a.number <> named.number AND a.outcome = 'accepted')
   AND NOT EXISTS (SELECT 1 FROM tasks_attempt a WHERE a.batch_id = b.id AND a.number = named.number AND a.outcome = 'accepted')
 ORDER BY b.id, named.id
"""
_HEARD_OF = f"""
SELECT d.send_id, d.subscriber_id, b.attempt
  FROM tasks_batch b JOIN tasks_delivery d ON d.send_id = b.send_id AND d.batch_id = b.id AND {Delivery.Seen.HEARD.sql("d.seen")}
 WHERE b.id = %b AND b.status = 'unknown' AND {_NOT_EXCLUDED}
"""  # noqa: S608


class _Doubt(NamedTuple):
    batch_id: int
    #: Of those who were reported of.
    members: list[int]
    #: Which the reports named.
    attempt: UUID


def prove_readers(reached: Mapping[Key, UUID], *, by: Mapping[str, object]) -> int:
    """Record that these readers' mails, each of the attempt that its report names, were accepted; how many were in doubt.

    Call it inside a transaction that has locked the batches of these deliveries, in the order of their ids: one that moves
    meanwhile is seen to here. Raises the database's errors.
    """
    if not reached:
        return 0
    sends, subscribers = [key[0] for key in reached], [key[1] for key in reached]
    attempts = list(reached.values())
    in_doubt = [_Doubt(*row) for row in run(_IN_DOUBT, (sends, subscribers, attempts, [one.value for one in _OPEN]))]
    again = run(_SENT_AGAIN, (sends, subscribers, attempts))
    if again:
        batches = Batch.objects.in_bulk([batch_id for batch_id, _ in again])
        prove_accepted({_attempt_of(batches[batch_id], attempt).pk: None for batch_id, attempt in again}, by=by)
    return sum([_settle(doubt, by=by) for doubt in in_doubt])


def catch_up() -> int:
    """Settle readers who were reported of before their outcome was known to be in doubt; how many. Repeated calls do no harm."""
    unknown = Batch.objects.filter(status=Batch.Status.UNKNOWN).order_by("pk").values_list("pk", "attempt")
    transports = dict(Attempt.objects.filter(pk__in=[one for _, one in unknown]).values_list("pk", "transport"))
    told_of = [batch for batch, one in unknown if one is not None and registry.reports_by_mail(transports.get(one, ""))]
    return sum([_catch_up(batch) for batch in told_of])


@transaction.atomic
def _catch_up(batch_id: int) -> int:
    Batch.objects.select_for_update(of=("self",), no_key=True).filter(pk=batch_id).first()
    heard_of = {(send, subscriber): attempt for send, subscriber, attempt in run(_HEARD_OF, (batch_id,))}
    return prove_readers(heard_of, by={"kind": "event"})


def _settle(doubt: _Doubt, *, by: Mapping[str, object]) -> int:
    # An outcome that was recorded just now may have made this batch: only who is in it still counts.
    batch = Batch.objects.select_for_update(of=("self",), no_key=True).get(pk=doubt.batch_id)
    members = [member for (member,) in run(_STILL_IN_DOUBT, (batch.send_id, batch.pk, doubt.members))]
    is_sent_again = batch.status == Batch.Status.SUBMITTING and batch.attempt != doubt.attempt
    if not members or not (batch.status in _OPEN or is_sent_again):
        return 0
    attempt = _attempt_of(batch, doubt.attempt)
    log.info("readers_proven", batch=batch.pk, readers=len(members), was=batch.status)
    if len(members) >= batch.live:
        prove_accepted({attempt.pk: None}, by=by)
        return len(members)
    if batch.status == Batch.Status.BUILDING:
        # Its worker has chosen the readers already: its fence must fail, and the next claim chooses those who are left.
        Batch.objects.filter(pk=batch.pk).update(status=Batch.Status.PENDING, attempt=None, enqueued_at=None)
    there = _split_off(batch, attempt, members, by=by)
    if batch.status in GIVEN_UP:
        alarm_if_sent_again(there, attempt)
    send_id = batch.send_id
    transaction.on_commit(lambda: finishing.finish_if_done(send_id), robust=True)
    return len(members)


def _attempt_of(batch: Batch, named: UUID) -> Attempt:
    """What this batch knows of the attempt that is named: its own, what was divided from it, or a record that is made now; else the latest."""
    rows = Attempt.objects.filter(batch=batch).order_by("-number")
    found = rows.filter(Q(pk=named) | Q(evidence__0__from_attempt=str(named))).first()
    if found is not None:
        return found
    origin = Attempt.objects.filter(pk=named, batch__send_id=batch.send_id).first()
    if origin is not None:
        # The batch was divided after that request, and has had its own since.
        return rows.filter(number=origin.number).first() or _divided(origin, batch)
    # A batch without any: the database has lost it (`tasks.sends.database_moved`).
    return rows.first() or Attempt.objects.create(
        batch=batch, number=batch.attempts, size=batch.size, transport="lost", outcome=Attempt.Outcome.UNKNOWN
    )


def _divided(origin: Attempt, batch: Batch) -> Attempt:
    # Whoever was sent it again was taken for not accepted; it is no doubt that somebody has to look at.
    return Attempt.objects.create(
        batch=batch,
        number=origin.number,
        size=batch.size,
        transport=origin.transport,
        outcome=Attempt.Outcome.REFUSED,
        fenced_at=origin.fenced_at,
        finished_at=origin.finished_at,
        evidence=[{"kind": "divided", "from_attempt": str(origin.pk), "from_batch": origin.batch_id}],
    )


def _split_off(batch: Batch, attempt: Attempt, members: Sequence[int], *, by: Mapping[str, object]) -> Batch:
    """Into a batch of those who were proven one by one, which is returned: the same for all of this request, or there would be one for each reader."""
    kept = (
        Attempt.objects.filter(
            batch__send_id=batch.send_id,
            batch__status=Batch.Status.SUBMITTED,
            evidence__0__kind="reported",
            evidence__0__from_batch=batch.pk,
            evidence__0__from_attempt=str(attempt.pk),
        )
        .order_by("pk")
        .first()
    )
    if kept is not None and kept.batch_id is not None:
        to = Batch.objects.select_for_update(of=("self",), no_key=True).get(pk=kept.batch_id).pk
        Batch.objects.filter(pk=to).update(size=F("size") + len(members))
        Attempt.objects.filter(pk=kept.pk).update(size=F("size") + len(members))
    else:
        number = uuid4()
        to = moving.new_batch(batch.pk, size=len(members), status=Batch.Status.SUBMITTED, attempt=number)
        _record(number, to, batch, attempt, len(members), by=by)
    moving.move(members, send_id=batch.send_id, batch_id=batch.pk, to=to)
    return Batch.objects.get(pk=to)


def _record(number: UUID, to: int, batch: Batch, attempt: Attempt, size: int, *, by: Mapping[str, object]) -> None:
    Attempt.objects.create(
        id=number,
        batch_id=to,
        number=attempt.number,
        size=size,
        transport=attempt.transport,
        outcome=Attempt.Outcome.ACCEPTED,
        fenced_at=attempt.fenced_at,
        finished_at=attempt.finished_at,
    )
    fact = {**by, "kind": "reported", "from_attempt": str(attempt.pk), "from_batch": batch.pk, "proves": "accepted"}
    Attempt.objects.filter(pk=number).update(evidence=evidence.with_fact(fact))
