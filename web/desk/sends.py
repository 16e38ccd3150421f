"""The sends of an edition on its page: where each stands, what it waits for, and the buttons that apply; and the result."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from composer.models import Edition
from composer.permissions import Right, may
from composer.slots import cadence_of
from tasks.database import clock
from tasks.models import Send
from tasks.sends import database_doubts
from tasks.sends.counts import Counts, counts_with_row
from tasks.sends.results import results
from tasks.throttling.explanations import why_waiting
from web.desk import database_question
from web.desk.alarms import in_words
from web.desk.doubts import Doubts, doubts_of
from web.desk.result import shown_result
from web.desk.scheduling import REASONS, spoken
from web.desk.visible import visible_edition

#: How long after its end the page follows a send.
_FOLLOWED = timedelta(minutes=30)
#: What stands on a button, where it is not the action's own name.
LABELS = {
    "release-now": "Send now",
    "release-next-slot": "Send with the next slot",
    "rest": "Send to the rest",
    "left-out": "Send to them",
}


@dataclass(frozen=True, kw_only=True)
class SendOnPage:
    """One send as the page shows it."""

    send: Send
    counted: Counts
    left_out: list[tuple[str, int]]
    waiting: str
    #: Seconds until it can no longer be taken back; 0 = it cannot.
    undo_seconds: int
    #: The buttons, the likeliest first: the action and what stands on it.
    actions: list[tuple[str, str]]
    doubts: Doubts | None

    @property
    def total(self) -> int:
        return self.counted.candidates - sum(self.counted.excluded.values())

    @property
    def is_moving(self) -> bool:
        """Whether its figures change by themselves: of one that is out, as long as most answers still come in."""
        if self.send.status in {Send.Status.SCHEDULED, Send.Status.SENDING}:
            return True
        finished = self.send.finished_at
        return finished is not None and clock.now() - finished < _FOLLOWED

    @property
    def scheduled(self) -> str:
        """When it is or was due, on the publication's clock."""
        return spoken(self.send.scheduled_at, self.send.edition)

    @property
    def out(self) -> int:
        return self.counted.submitted


def sends_of(edition: Edition) -> list[SendOnPage]:
    """The edition's sends, the newest first."""
    sends = Send.objects.filter(edition=edition).select_related(
        "edition__publication", "segment", "created_by", "approval"
    )
    return [on_page(send) for send in sends.prefetch_related("lists").order_by("-pk")]


def as_html(request: HttpRequest, edition: Edition) -> SafeString:
    """The section of the edition's page; empty where nothing was ever scheduled."""
    publication = edition.publication_id
    sends = sends_of(edition) if may(request.user, Right.RESULTS, publication) else []
    if not sends:
        return SafeString()
    came_of_it = results(edition, [one.send for one in sends], [one.counted for one in sends])
    context = {
        "edition": edition,
        "sends": sends,
        "may_control": may(request.user, Right.SEND, publication),
        "zone": str(edition.publication.zone),
        "answer_url": database_question.url_for(request.user) if any(one.waiting for one in sends) else "",
        "is_moving": any(one.is_moving for one in sends),
        "result": shown_result(edition, came_of_it) if came_of_it else None,
    }
    return render_to_string("web/desk/sends.html", context, request)


def section(request: HttpRequest, pk: int) -> HttpResponse:
    """The section alone, for the page that watches it."""
    user: Any = request.user
    edition = visible_edition(user, pk)
    if not may(user, Right.RESULTS, edition.publication_id):
        raise PermissionDenied
    return HttpResponse(as_html(request, edition))


def on_page(send: Send) -> SendOnPage:
    """The send with its numbers of one moment."""
    counted = counts_with_row(send)
    left = (send.undo_until - clock.now()).total_seconds() if send.undo_until else 0
    undo_seconds = max(0, int(left)) if send.status == Send.Status.SENDING else 0
    return SendOnPage(
        send=send,
        counted=counted,
        left_out=[(REASONS.get(reason, reason), count) for reason, count in sorted(counted.excluded.items())],
        waiting=in_words(why_waiting(send)),
        undo_seconds=undo_seconds,
        actions=[(one, LABELS.get(one, one.capitalize())) for one in _actions(send, counted, undo_seconds)],
        doubts=doubts_of(send) if counted.unknown else None,
    )


def _actions(send: Send, counted: Counts, undo_seconds: int) -> list[str]:
    if send.status in {Send.Status.SCHEDULED, Send.Status.SENDING}:
        return [*(["undo"] if undo_seconds else []), "pause", "cancel"]
    if send.status == Send.Status.PAUSED:
        if database_doubts.may_be_out(send):
            return ["cancel"]
        return [*_releases(send), "cancel"] if send.held_at else ["resume", "cancel"]
    return ["rest"] if _has_missed_readers(send, counted) else []


def _releases(send: Send) -> list[str]:
    """How a held send can go on, once its edition is approved again."""
    if not send.approval.stands:
        return []
    return ["release-now", *(["release-next-slot"] if cadence_of(send.edition.publication) is not None else [])]


def _has_missed_readers(send: Send, counted: Counts) -> bool:
    """Whether a send that is over left readers without the edition whom no later send of it is for."""
    missed = counted.failed + counted.excluded.get("cancelled", 0)
    return bool(missed and send.prepared_at and send.edition.approval and not has_rest(send))


def has_rest(send: Send) -> bool:
    """Whether a later send is, or was, for those whom this one missed; one taken back before it began counts for nothing."""
    return send.rests.exclude(status=Send.Status.CANCELLED, prepared_at=None).exists()
