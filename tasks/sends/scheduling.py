"""Giving an approved edition to an audience at a time."""

from collections.abc import Callable, Sequence
from datetime import datetime
from email.utils import parseaddr
from typing import Any

from django.db import connection, transaction

from composer.models import Approval, Edition
from newsdesk.core.errors import InputError
from subscribers.models import List, Segment
from subscribers.saved_segments import rules_for
from tasks import queue
from tasks.audience import local_time
from tasks.database import clock, identity
from tasks.models import Send
from tasks.sends import archives
from tasks.sends.audit_trail import record_action

_TIMEZONES = """
SELECT DISTINCT s.timezone FROM subscribers_subscription n JOIN subscribers_subscriber s ON s.id = n.subscriber_id
 WHERE n.list_id = ANY(%s::bigint[]) AND n.status = 'active'
"""


class SchedulingError(InputError):
    """The send cannot be made as asked; the message says what to do."""


def schedule(
    edition: Edition,
    *,
    lists: Sequence[List],
    segment: Segment | None = None,
    at: datetime | None = None,
    local_at: datetime | None = None,
    by: Any = None,
    who: str = "",
    rest_of: Send | None = None,
    after: Callable[[Send], None] | None = None,
) -> Send:
    """Schedule the edition's standing approval to whoever is on any of the lists and, if given, in the segment.

    `at` must be aware; None or a past moment means now. `local_at`, instead of it, is naive: that time where each reader
    is. `by` is a user, `who` words instead of one. `rest_of`: the send whose missed readers this one is for. `after` is
    called with the send in its transaction. Raises SchedulingError.
    """
    _refuse_other_publications(edition, lists, segment)
    if at is not None or local_at is not None:
        _refuse_unknown_zone(edition)
    if local_at is not None:
        _refuse_impossible(local_at, at)
        at = first_moment(edition, lists, local_at)
    with transaction.atomic():
        # Reopening locks the edition's row too, so that the approval cannot go while the send is written.
        Edition.objects.select_for_update(no_key=True, of=("self",)).get(pk=edition.pk)
        send = _create(
            _approval_to_send(edition), segment=segment, at=at, local_at=local_at, created_by=by, rest_of=rest_of
        )
        send.lists.set(lists)
        record_action(send.pk, "scheduled", why=_when(send), by=by, who=who)
        if after is not None:
            after(send)
        queue.on_commit(queue.enqueue_send, send.pk)
    return send


def _create(
    approval: Approval, *, segment: Segment | None, at: datetime | None, local_at: datetime | None, **fields: Any
) -> Send:
    """The row alone, in the database that serves now. `local_at` with the first moment of it, `at`."""
    edition, database, now = approval.edition, identity.current(), clock.now()
    return Send.objects.create(
        approval=approval,
        edition=edition,
        segment=segment,
        segment_rule=rules_for(edition.publication_id, [segment.slug])[segment.slug] if segment else None,
        scheduled_at=max(at, now) if at and local_at else at or now,
        local_at=local_time.stored(local_at) if local_at else "",
        sender_domain=sender_domain(approval),
        **database.as_fields,
        **fields,
    )


def _approval_to_send(edition: Edition) -> Approval:
    """Its standing approval; raises SchedulingError where there is none, or nobody could tell who has the edition."""
    approval = edition.approvals.standing().first()
    if approval is None:
        raise SchedulingError(f"edition {edition.pk} is not approved; approve it first")
    if gone := archives.archived_of_edition(edition.pk):
        raise SchedulingError(archives.why_not_again(gone))
    return approval


def first_moment(edition: Edition, lists: Sequence[List], local_at: datetime) -> datetime:
    """When it is that time (naive) for the first active reader on the lists; aware. Of a list without readers: by the
    publication's clock.
    """
    with connection.cursor() as cursor:
        cursor.execute(_TIMEZONES, [[one.pk for one in lists]])
        timezones = [name for (name,) in cursor.fetchall()]
    return local_time.first_moment(local_at, timezones, usual=edition.publication.zone)


def sender_domain(approval: Approval) -> str:
    """The domain of the From address, in lower case: of the frozen bytes, or of the publication where they name none."""
    variant = approval.variants.exclude(stories=0).first()
    _, address = parseaddr(variant.headers.get("From", "") if variant else "")
    return (address or approval.edition.publication.from_email).rpartition("@")[2].lower()


def _refuse_unknown_zone(edition: Edition) -> None:
    publication = edition.publication
    if not publication.has_known_zone:
        raise SchedulingError(
            f"the timezone {publication.timezone} of {publication} is not known on this machine: give the publication another "
            "one first, or send at once"
        )


def _refuse_other_publications(edition: Edition, lists: Sequence[List], segment: Segment | None) -> None:
    if not lists:
        raise SchedulingError("name at least one list")
    others = [one.slug for one in lists if one.publication_id != edition.publication_id]
    if segment is not None and segment.publication_id != edition.publication_id:
        others.append(segment.slug)
    if others:
        raise SchedulingError(f"{', '.join(others)}: of another publication than the edition")


def _refuse_impossible(local_at: datetime, at: datetime | None) -> None:
    if at is not None:
        raise SchedulingError("name one moment, or a time where each reader is, not both")
    if local_at.tzinfo is not None:
        raise SchedulingError("a time where each reader is has no offset")
    if local_at.year not in local_time.YEARS:
        raise SchedulingError(f"the year {local_at.year} cannot be told on every reader's clock")


def _when(send: Send) -> str:
    return f"for {send.local_at}, on each reader's clock" if send.local_at else f"for {send.scheduled_at.isoformat()}"
