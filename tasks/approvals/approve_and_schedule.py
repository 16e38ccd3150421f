"""Approving an edition and scheduling its send in one step, and saying beforehand exactly what would come of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from composer.models import Edition
from newsdesk.core.errors import RefusedError
from subscribers.models import List, Segment
from tasks.approvals.approving import approve_edition
from tasks.audience.freezing import sort_candidates
from tasks.database import clock
from tasks.models import Send
from tasks.sends.scheduling import schedule
from tasks.slots.rescheduling import take_next_slot
from tasks.slots.slot_sends import give_slot_to_send

#: Addresses that a person is shown before they confirm.
SAMPLE = 10
_SAMPLE_SQL = """
SELECT s.email FROM prepared p JOIN subscribers_subscriber s ON s.id = p.subscriber_id
 WHERE p.reason IS NULL ORDER BY p.subscriber_id LIMIT %s
"""


class ChangedMeanwhileError(RefusedError):
    """The edition or its sends are no longer those that the person was shown."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Who gets the edition, and when. Without a moment: now.

    `at` is aware; `local_at` naive, the time where each reader is; `at_slot`: with the publication's next slot.
    """

    lists: Sequence[List]
    segment: Segment | None = None
    at: datetime | None = None
    local_at: datetime | None = None
    at_slot: bool = False


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """What the send would be if it were prepared at once."""

    scheduled_at: datetime
    readers: int
    #: How many candidates are left out, by reason.
    excluded: dict[str, int]
    #: Variants that somebody would get.
    variants: int
    #: Some of the addresses.
    sample: list[str]
    #: Of the approval it would have: everything that a reader could notice.
    content_hash: str


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What the person looked at when they decided: the edition's latest revision and its last send, by id, and what readers would get.

    `content`: the approval's hash as it was expected, which also tells of a publication, theme or segment that was changed since;
    empty = it was not looked at.
    """

    revision: int | None
    send: int | None
    content: str = ""

    @classmethod
    def of(cls, edition: Edition) -> "Seen":
        """As the database has it now."""
        revision = Edition.objects.values_list("latest_revision", flat=True).get(pk=edition.pk)
        return cls(revision=revision, send=Send.objects.filter(edition=edition).values_list("pk", flat=True).first())


def approve_and_schedule(edition: Edition, plan: Plan, *, by: Any, seen: Seen | None = None) -> Send:
    """Approve the edition unless it is approved, and schedule its send; both or neither.

    With `seen`, only if nothing has changed since: a second click schedules nothing twice. Raises
    ChangedMeanwhileError, ApprovalRefusedError, ApprovalBlockedError and SchedulingError.
    """
    sends: list[Send] = []
    with transaction.atomic():
        current = (
            Edition.objects.select_for_update(no_key=True, of=("self",))
            .select_related("publication")
            .get(pk=edition.pk)
        )
        if seen is not None and Seen.of(current) != replace(seen, content=""):
            raise ChangedMeanwhileError("the edition was saved or scheduled meanwhile: look again")
        if current.approval is None:
            approve_edition(current, by, before_slot=lambda approved: sends.append(_schedule(approved, plan, by)))
        else:
            sends.append(_schedule(current, plan, by))
        if seen is not None and seen.content not in {"", sends[0].approval.content_hash}:
            raise ChangedMeanwhileError(
                "what readers would get has changed meanwhile, by its publication, its theme or a segment: look again"
            )
    return sends[0]


def expect(edition: Edition, plan: Plan, *, by: Any) -> Expectation:
    """What `approve_and_schedule` would do now: all of it is done, counted by the statement that freezes, and rolled back.

    Raises as that does, and RuleError where a segment's rule is not understood.
    """
    with transaction.atomic():
        send = approve_and_schedule(edition, plan, by=by)
        with connection.cursor() as cursor:
            readers, excluded = sort_candidates(cursor, send)
            cursor.execute("SELECT count(DISTINCT variant_id) FROM prepared WHERE reason IS NULL")
            (variants,) = cursor.fetchone()
            cursor.execute(_SAMPLE_SQL, [SAMPLE])
            sample = [email for (email,) in cursor.fetchall()]
        transaction.set_rollback(True)
    return Expectation(
        scheduled_at=send.scheduled_at,
        readers=readers,
        excluded=excluded,
        variants=variants,
        sample=sample,
        content_hash=send.approval.content_hash,
    )


def _schedule(edition: Edition, plan: Plan, by: Any) -> Send:
    """The edition is approved and its row locked."""
    at = plan.at
    if plan.at_slot:
        at = _slot_of(edition)
    send = schedule(edition, lists=plan.lists, segment=plan.segment, at=at, local_at=plan.local_at, by=by)
    # It is the slot's send, so that the recurrence makes none of its own.
    if plan.at_slot and not give_slot_to_send(send, edition):
        raise RefusedError("it goes out with its slot already: cancel that send first, or choose a time")
    return send


def _slot_of(edition: Edition) -> datetime:
    """The edition's own slot if it is still ahead, or the next free one, which it then has."""
    now = clock.now()
    if edition.slot is not None and edition.slot > now:
        return edition.slot
    slot = take_next_slot(edition, now)
    if slot is None:
        raise RefusedError(f"{edition.publication} has no weekly slot: choose a time")
    return slot
