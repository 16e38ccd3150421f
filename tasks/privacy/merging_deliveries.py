"""What was sent to one record of a person, given to the other one.

A delivery's key is the send and the reader, so what both have of the same send cannot become one row; and no count of a send may
change. A row that cannot move stays under the id that is gone, as after an erasure.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q

from subscribers.models import Subscriber
from tasks.database.statements import run
from tasks.models import Batch, Delivery, Event, Exclusion
from tasks.privacy.export import desk_log

_SEEN = Delivery.Seen
_CAME_BACK = f"COALESCE({_SEEN.BOUNCED.sql('{0}.seen')} OR {_SEEN.DROPPED.sql('{0}.seen')}, false)"
#: The rows of both, by send; whoever has none in a send has empty columns.
_FOUND = f"""
SELECT m.id, m.edition_id, theirs.batch_id, theirs_out.send_id IS NOT NULL, their_batch.status, {_CAME_BACK.format("theirs")},
       mine.batch_id, mine_out.send_id IS NOT NULL, my_batch.status, {_CAME_BACK.format("mine")}
  FROM tasks_send m
  LEFT JOIN tasks_delivery theirs ON theirs.send_id = m.id AND theirs.subscriber_id = %b
  LEFT JOIN tasks_exclusion theirs_out ON theirs_out.send_id = m.id AND theirs_out.subscriber_id = %b
  LEFT JOIN tasks_batch their_batch ON their_batch.id = theirs.batch_id
  LEFT JOIN tasks_delivery mine ON mine.send_id = m.id AND mine.subscriber_id = %b
  LEFT JOIN tasks_exclusion mine_out ON mine_out.send_id = m.id AND mine_out.subscriber_id = %b
  LEFT JOIN tasks_batch my_batch ON my_batch.id = mine.batch_id
 WHERE theirs.send_id IS NOT NULL OR theirs_out.send_id IS NOT NULL OR mine.send_id IS NOT NULL
    OR mine_out.send_id IS NOT NULL
 ORDER BY m.id
"""  # noqa: S608 - made of constants
#: A preparation under way ends first, and a claim comes wholly before or after.
_LOCK_SENDS = "SELECT id FROM tasks_send WHERE status IN ('scheduled', 'sending', 'paused') ORDER BY id FOR SHARE"
_LOCK_BATCHES = "SELECT id FROM tasks_batch WHERE id = ANY(%b::bigint[]) ORDER BY id FOR UPDATE"
_POSTED_NOW = (Batch.Status.BUILDING, Batch.Status.SUBMITTING)
_POSTED = (Batch.Status.SUBMITTED, Batch.Status.UNKNOWN)
#: As `tasks.audience.freezing` has it: another send of the edition takes their readers for missed.
_MISSED = (Batch.Status.FAILED, Batch.Status.CANCELLED)


class PostedNowError(Exception):
    """A request with one of the two is being built or posted."""


@dataclass(frozen=True, slots=True)
class Row:
    """One reader in one send."""

    #: None without a delivery.
    batch_id: int | None
    excluded: bool
    #: The batch's.
    status: str | None
    #: It was reported not to have arrived.
    came_back: bool = False

    @property
    def is_there(self) -> bool:
        return self.batch_id is not None or self.excluded

    @property
    def gets_it(self) -> bool:
        """Got it, may have got it, or will."""
        return self.batch_id is not None and not self.excluded and self.status not in _MISSED

    @property
    def has_it(self) -> bool:
        """Got it, or may have got it."""
        return self.gets_it and not self.came_back and self.status in _POSTED

    @property
    def waits_for_it(self) -> bool:
        return self.gets_it and self.status == Batch.Status.PENDING

    @property
    def lost_it(self) -> bool:
        """Was to get it, and will not: the batch was cancelled or failed, or this reader of it was excluded."""
        return self.batch_id is not None and not self.gets_it


@dataclass(frozen=True, kw_only=True)
class MovedDeliveries:
    """How many sends of the other record are the kept one's now, how many are not, and events that went along."""

    moved: int
    left: int
    events: int


def lock_deliveries(keep_id: int, other_id: int) -> list[tuple[int, int, Row, Row]]:
    """(send, edition, the other's, the kept one's) with all their batches locked until the transaction ends.

    Raises PostedNowError.
    """
    run(_LOCK_SENDS, ())
    run(_LOCK_BATCHES, (_batches(_found(keep_id, other_id)),))
    # As they are now that nobody else changes them.
    found = _found(keep_id, other_id)
    if any(row.status in _POSTED_NOW for *_, theirs, mine in found for row in (theirs, mine)):
        raise PostedNowError
    return found


def move_deliveries(found: Iterable[tuple[int, int, Row, Row]], keep: Subscriber, other: Subscriber) -> MovedDeliveries:
    """Move what can be moved of what `lock_deliveries` found, with its events.

    Of a send that the kept record was left out of, will not get any more, or waits for, and the other one has, the two change places,
    unless that mail came back: the person has it. What the kept record waits for in another send of that edition it gives away too. What
    stays is: sends of which both have a delivery, and those of an edition that the kept record gets in another send. Whatever of
    that is still to be sent is not, since its reader is gone.
    """
    rows, exchanged_first = _with_what_is_had(list(found), keep, other)
    gets = {edition for _, edition, _, mine in rows if mine.gets_it}
    moving, exchanged, left = [], [], 0
    for send_id, edition, theirs, mine in rows:
        if not theirs.is_there:
            continue
        has_it_already = theirs.gets_it and edition in gets
        if has_it_already or (mine.is_there and not (theirs.gets_it and mine.batch_id is None)):
            left += 1
            continue
        moving.append(send_id)
        if mine.is_there:
            exchanged.append(send_id)
        if theirs.gets_it:
            gets.add(edition)
    Exclusion.objects.filter(send_id__in=exchanged, subscriber_id=keep.pk).update(subscriber_id=other.pk)
    for model in (Delivery, Exclusion):
        theirs_of = model.objects.filter(send_id__in=moving, subscriber_id=other.pk)
        theirs_of = theirs_of.exclude(send_id__in=exchanged) if model is Exclusion else theirs_of
        theirs_of.update(subscriber_id=keep.pk)
    events = Event.objects.filter(Q(send_id__in=moving + exchanged_first) | Q(send_id=None), subscriber_id=other.pk)
    moved_events = events.update(subscriber_id=keep.pk)
    desk_log(other.pk).update(object_id=str(keep.pk))
    return MovedDeliveries(moved=len(moving), left=left, events=moved_events)


def _with_what_is_had(
    rows: list[tuple[int, int, Row, Row]], keep: Subscriber, other: Subscriber
) -> tuple[list[tuple[int, int, Row, Row]], list[int]]:
    """Let the two change places in sends of which the kept record waits for what the other one has, or lost it; the rows as they are then,
    and those sends.

    What the other one has of an edition comes first, so that nothing that is still to come takes its place.
    """
    had = {edition for _, edition, theirs, _ in rows if theirs.has_it}
    changed = [
        send
        for send, edition, theirs, mine in rows
        if (edition in had and mine.waits_for_it) or (theirs.has_it and mine.lost_it)
    ]
    if changed:
        for model in (Delivery, Exclusion):
            of_these = model.objects.filter(send_id__in=changed)
            # No reader has the number between: both keys are taken.
            of_these.filter(subscriber_id=keep.pk).update(subscriber_id=-keep.pk)
            of_these.filter(subscriber_id=other.pk).update(subscriber_id=keep.pk)
            of_these.filter(subscriber_id=-keep.pk).update(subscriber_id=other.pk)
        rows = [
            (send, edition, *((mine, theirs) if send in changed else (theirs, mine)))
            for send, edition, theirs, mine in rows
        ]
    return sorted(rows, key=lambda row: (not row[2].has_it, row[0])), changed


def _found(keep_id: int, other_id: int) -> list[tuple[int, int, Row, Row]]:
    rows = run(_FOUND, (other_id, other_id, keep_id, keep_id))
    return [(row[0], row[1], Row(*row[2:6]), Row(*row[6:10])) for row in rows]


def _batches(found: Iterable[tuple[int, int, Row, Row]]) -> list[int]:
    return sorted({row.batch_id for *_, theirs, mine in found for row in (theirs, mine) if row.batch_id is not None})
