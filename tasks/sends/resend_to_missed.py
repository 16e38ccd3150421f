"""Sending an edition once more, to those whom a finished send missed.

Preparation decides who that is: whoever has the edition, or may have it, is excluded as `already_received`. So new
subscribers get it, and those who failed or were cancelled; nobody gets it twice.
"""

from typing import Any, NamedTuple

from django.db import connection, transaction

from subscribers.audience import audience
from subscribers.models import List
from tasks.alarms.raising import clear_alarms
from tasks.audience import left_out_readers
from tasks.models import Alarm, Batch, Send
from tasks.sends.scheduling import SchedulingError, schedule

_OVER = (Send.Status.SENT, Send.Status.CANCELLED)

#: The same as preparation's question, asked of all at once: as sets it takes a third of the time.
_MISSED_READERS = """
SELECT count(*) FROM (
    SELECT subscriber_id FROM ({audience}) AS candidate WHERE reason IS NULL
    EXCEPT
    SELECT d.subscriber_id FROM tasks_delivery d JOIN tasks_batch b ON b.id = d.batch_id
     WHERE d.send_id = ANY(%s) AND b.status NOT IN ('failed', 'cancelled')
       AND NOT EXISTS (SELECT 1 FROM tasks_exclusion x WHERE x.send_id = d.send_id AND x.subscriber_id = d.subscriber_id)
) AS missed
"""


class MissedResend(NamedTuple):
    """The new send, and how many it is for."""

    send: Send
    #: Readers it may reach as things stand now; those who would see no story are not looked for.
    readers: int


def resend_to_missed(send_id: int, *, by: Any = None, who: str = "") -> MissedResend:
    """Schedule the edition of a finished send to its lists and its segment's rule again, now.

    `by` is a user, `who` words instead of one. Raises SchedulingError while the send may still reach its readers (those
    whom a person left in doubt count as reached), and where its edition is not approved.
    """
    with transaction.atomic():
        first = Send.objects.select_related("edition__publication", "segment", "in_place_of").get(pk=send_id)
        if first.status not in _OVER and not _is_left(first):
            raise SchedulingError(
                f"send {first.pk} is {first.status}: its readers may still get it. Wait until it is sent, or cancel it"
            )
        if not first.edition.approvals.standing().exists():
            raise SchedulingError(
                f"edition {first.edition_id} was reopened since send {first.pk}: approve it again first"
            )
        send = schedule(
            first.edition, lists=list(first.lists.all()), segment=first.segment, by=by, who=who, rest_of=first
        )
        # The rule as it was then, also when the segment was changed or deleted since; and nobody but those whom that one was for.
        Send.objects.filter(pk=send.pk).update(segment_rule=first.segment_rule, in_place_of=first.in_place_of)
        send.segment_rule, send.in_place_of = first.segment_rule, first.in_place_of
        return MissedResend(send, _missed_readers(send))


def send_to_left_out(send_id: int, *, by: Any = None, who: str = "") -> MissedResend:
    """Schedule the edition of a cancelled send, now, to exactly those whom other sends had left out because of it.

    `by` and `who` as above. Raises SchedulingError where nobody was left out, its edition is not approved, or another such send
    is under way.
    """
    with transaction.atomic():
        # Two who press the button come one after the other.
        first = (
            Send.objects.select_for_update(of=("self",), no_key=True)
            .select_related("edition__publication")
            .get(pk=send_id)
        )
        if first.status != Send.Status.CANCELLED:
            raise SchedulingError(f"send {first.pk} is {first.status}: its readers may still get it from there")
        if not left_out_readers.count(first.pk):
            raise SchedulingError(f"nobody lacks the edition because send {first.pk} was cancelled")
        if first.replacements.exclude(status__in=_OVER).exists():
            raise SchedulingError(f"another send goes to those whom send {first.pk} had: nobody gets it twice")
        if not first.edition.approvals.standing().exists():
            raise SchedulingError(
                f"edition {first.edition_id} was reopened since send {first.pk}: approve it again first"
            )
        lists = List.objects.filter(pk__in=_lists_of(left_out_readers.leaving_sends(first.pk))).order_by("pk")
        send = schedule(first.edition, lists=list(lists), by=by, who=who)
        Send.objects.filter(pk=send.pk).update(in_place_of=first)
        send.in_place_of = first
        clear_alarms(Alarm.Code.LEFT_OUT, send_id=first.pk)
        return MissedResend(send, left_out_readers.count(first.pk))


def _is_left(send: Send) -> bool:
    """Whether nothing keeps it from being over but what a person left in doubt for good: that counts as received."""
    batches = Batch.objects.filter(send=send)
    in_doubt = send.status == Send.Status.SENDING and batches.filter(status=Batch.Status.UNKNOWN).exists()
    return in_doubt and not batches.unsettled().exists()


def _lists_of(send_ids: list[int]) -> set[int]:
    return {one.pk for send in Send.objects.filter(pk__in=send_ids) for one in send.lists.all()}


def _missed_readers(send: Send) -> int:
    list_ids = list(send.lists.values_list("pk", flat=True))
    only = left_out_readers.condition(send.in_place_of_id) if send.in_place_of_id else None
    candidates = audience(list_ids, publication_id=send.edition.publication_id, rule=send.segment_rule, restrict=only)
    others = list(Send.objects.filter(edition_id=send.edition_id).exclude(pk=send.pk).values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(_MISSED_READERS.format(audience=candidates.sql), (*candidates.params, others))
        (count,) = cursor.fetchone()
    return int(count)
