"""Giving an approved edition to an audience at a time."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from composer.models import Edition
from subscribers.models import List, Segment
from tasks import doorbells, ground
from tasks.actions import note
from tasks.models import Send


class CannotSchedule(Exception):  # noqa: N818 - the message is for whoever asked
    """The send cannot be made as asked; the message says what to do."""


def schedule(
    edition: Edition,
    *,
    lists: Sequence[List],
    segment: Segment | None = None,
    at: datetime | None = None,
    by: Any = None,
    who: str = "",
    rest_of: Send | None = None,
) -> Send:
    """Schedule the edition's standing approval to whoever is on any of the lists and, if given, in the segment.

    `at` must be aware; None or a past moment means now. `rest_of`: the send whose missed readers this one is for. Raises
    CannotSchedule.
    """
    if not lists:
        raise CannotSchedule("name at least one list")
    strangers = [one.slug for one in lists if one.publication_id != edition.publication_id]
    if segment is not None and segment.publication_id != edition.publication_id:
        strangers.append(segment.slug)
    if strangers:
        raise CannotSchedule(f"{', '.join(strangers)}: of another publication than the edition")
    with transaction.atomic():
        # Reopening locks the edition's row too, so that the approval cannot go while the send is written.
        Edition.objects.select_for_update(no_key=True, of=("self",)).get(pk=edition.pk)
        approval = edition.approvals.standing().first()
        if approval is None:
            raise CannotSchedule(f"edition {edition.pk} is not approved; approve it first")
        here = ground.current()
        send = Send.objects.create(
            approval=approval,
            edition=edition,
            segment=segment,
            segment_rule=segment.rule if segment else None,
            scheduled_at=at or timezone.now(),
            created_by=by,
            rest_of=rest_of,
            system_identifier=here.system_identifier,
            timeline=here.timeline,
        )
        send.lists.set(lists)
        note(send.pk, "scheduled", by=by, who=who)
        doorbells.on_commit(doorbells.ring_send, send.pk)
    return send
