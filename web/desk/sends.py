"""The sends of an edition on its page: where each stands, and the buttons that pause, resume, cancel and take back."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.text import capfirst
from wagtail.admin import messages
from wagtail.log_actions import log

from composer.models import Edition
from composer.permissions import may_approve
from newsdesk.core.errors import RefusedError
from tasks.approvals import releasing
from tasks.database import clock
from tasks.models import Send
from tasks.sends import control, undo
from tasks.sends.counts import counts
from tasks.throttling.explanations import why_waiting
from web.desk.scheduling import REASONS, edit_url, spoken

#: These mail readers or cannot be undone, so they are asked about first.
QUESTIONS = {
    "resume": "The send goes on: whoever has not had the edition yet gets it.",
    "release-now": "It goes out now to everybody it was scheduled for.",
    "release-next-slot": "It goes out with the publication’s next slot to everybody it was scheduled for.",
    "cancel": "Whoever has not had the edition yet does not get it from this send. That cannot be undone.",
}
#: What a send then is, for the message.
_DONE = {"pause": "paused", "resume": "going on", "cancel": "cancelled", "undo": "taken back"}


#: How long after its end the page follows a send.
_FOLLOWED = timedelta(minutes=30)


@dataclass(frozen=True, kw_only=True)
class SendOnPage:
    """One send as the page shows it."""

    send: Send
    counted: Any
    left_out: list[tuple[str, int]]
    waiting: str
    #: Seconds until it can no longer be taken back; 0 = it cannot.
    undo_seconds: int
    actions: list[str]

    @property
    def total(self) -> int:
        return int(self.counted.candidates - sum(self.counted.excluded.values()))

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
        return int(self.counted.submitted)


def sends_of(edition: Edition) -> list[SendOnPage]:
    """The edition's sends, the newest first."""
    sends = Send.objects.filter(edition=edition).select_related("edition__publication", "segment", "created_by")
    return [_on_page(send) for send in sends.prefetch_related("lists").order_by("-pk")]


def as_html(request: HttpRequest, edition: Edition) -> str:
    """The section of the edition's page; empty where nothing was ever scheduled."""
    sends = sends_of(edition)
    context = {
        "edition": edition,
        "sends": sends,
        "may_control": may_approve(request.user),
        "zone": edition.publication.timezone,
        "is_moving": any(one.is_moving for one in sends),
    }
    return render_to_string("web/desk/sends.html", context, request) if sends else ""


def section(request: HttpRequest, pk: int) -> HttpResponse:
    """The section alone, for the page that watches it."""
    user: Any = request.user
    if not (user.has_perm("composer.view_edition") or user.has_perm("composer.change_edition") or may_approve(user)):
        raise PermissionDenied
    edition = get_object_or_404(Edition.objects.select_related("publication"), pk=pk)
    return HttpResponse(as_html(request, edition))


def act(request: HttpRequest, pk: int, send: int, what: str) -> HttpResponse:
    """POST does it and returns to the edition; GET asks first, where it mails readers or cannot be undone."""
    user: Any = request.user
    if not may_approve(user):
        raise PermissionDenied
    asked = get_object_or_404(Send.objects.select_related("edition__publication"), pk=send, edition=pk)
    if what not in {*_DONE, "release-now", "release-next-slot"}:
        raise Http404
    if request.method != "POST":
        return _ask(request, asked, what)
    try:
        done = _do(asked, what, user)
    except undo.UndoError as refused:
        hint = " Pause or Cancel stops what remains." if refused.can_stop else ""
        messages.error(request, f"{capfirst(refused.why)}.{hint}")
    except RefusedError as refused:
        messages.error(request, capfirst(str(refused)))
    else:
        log(instance=asked.edition, action=f"newsdesk.{what.partition('-')[0]}", user=user, data={"send": asked.pk})
        messages.success(request, done)
    return redirect(edit_url(asked.edition))


def _do(send: Send, what: str, user: Any) -> str:
    """What to tell the person. Raises RefusedError where things do not stand so."""
    match what:
        case "release-now":
            releasing.release_now(send.pk, by=user)
            return f"No. {send.edition.number} goes out now."
        case "release-next-slot":
            released = releasing.release_to_next_slot(send.pk, by=user)
            at = released.scheduled_at.astimezone(send.edition.publication.zone)
            return f"No. {send.edition.number} goes out with the slot of {at:%Y-%m-%d %H:%M} ({at.tzinfo})."
        case "undo":
            undo.undo(send.pk, by=user)
            done = True
        case "pause":
            done = control.pause(send.pk, f"Paused by {user.get_full_name() or user.get_username()}.", by=user)
        case "resume":
            done = control.resume(send.pk, by=user)
        case _:
            done = control.cancel(send.pk, by=user)
    if not done:
        send.refresh_from_db()
        raise RefusedError(f"send {send.pk} is {send.get_status_display()} by now: it was left alone")
    return f"Send {send.pk} is {_DONE[what]}."


def _ask(request: HttpRequest, send: Send, what: str) -> HttpResponse:
    if what not in QUESTIONS:
        raise Http404
    context = {
        "send": send,
        "shown": _on_page(send),
        "what": what,
        "question": QUESTIONS[what],
        "page_title": capfirst(what.replace("-", " ")),
        "header_icon": "mail",
        "breadcrumbs_items": [
            {"url": reverse("wagtailadmin_home"), "label": "Home"},
            {"url": edit_url(send.edition), "label": str(send.edition)},
            {"url": "", "label": capfirst(what.replace("-", " "))},
        ],
    }
    return TemplateResponse(request, "web/desk/confirm.html", context)


def _on_page(send: Send) -> SendOnPage:
    counted = counts(send)
    # The counts were taken after the row was read; the status that goes with them is theirs.
    send.status = counted.status
    left = (send.undo_until - clock.now()).total_seconds() if send.undo_until else 0
    undo_seconds = max(0, int(left)) if send.status == Send.Status.SENDING else 0
    return SendOnPage(
        send=send,
        counted=counted,
        left_out=[(REASONS.get(reason, reason), count) for reason, count in sorted(counted.excluded.items())],
        waiting=why_waiting(send) or "",
        undo_seconds=undo_seconds,
        actions=_actions(send, undo_seconds),
    )


def _actions(send: Send, undo_seconds: int) -> list[str]:
    """The buttons that apply, the first the likeliest."""
    if send.status in {Send.Status.SCHEDULED, Send.Status.SENDING}:
        return [*(["undo"] if undo_seconds else []), "pause", "cancel"]
    if send.status == Send.Status.PAUSED:
        return ["cancel"] if send.held_at else ["resume", "cancel"]
    return []
