"""Batches of which nobody knows whether their readers have the edition: what is known of each, and a person's decision."""

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from wagtail.admin import messages
from wagtail.log_actions import log

from composer.permissions import Right, may
from tasks.models import Batch, Send
from tasks.reconciliation import decisions
from tasks.reconciliation.attempt_history import History, histories
from web.accounts.recent_login import require_recent_login_for
from web.desk.headers import header
from web.desk.scheduling import edit_url
from web.desk.visible import visible_edition

SHOWN = 10
#: What each decision is called on its button, and on the one that confirms it.
_LABELS = {"resend": ("Send again", "Yes, send it"), "leave": ("Leave it", "Yes, leave it")}


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """One batch to decide about."""

    batch: int
    readers: int
    history: History | None


@dataclass(frozen=True, kw_only=True)
class Doubts:
    #: Up to SHOWN batches nobody has decided about yet.
    undecided: list[Doubt]
    #: Further ones.
    more: int
    #: Readers of batches that somebody decided to leave.
    left_readers: int


def doubts_of(send: Send) -> Doubts:
    """The unknown batches of a send, the oldest first."""
    known = {each.attempt.batch_id: each for each in histories(send.pk) if each.attempt.outcome == "unknown"}
    undecided, left = [], 0
    for batch in Batch.objects.filter(send=send, status=Batch.Status.UNKNOWN).order_by("pk"):
        if batch.left_after_claims == batch.attempts:
            left += batch.live
        else:
            undecided.append(Doubt(batch=batch.pk, readers=batch.live, history=known.get(batch.pk)))
    return Doubts(undecided=undecided[:SHOWN], more=max(0, len(undecided) - SHOWN), left_readers=left)


def decide(request: HttpRequest, pk: int, send: int, batch: int, decision: str) -> HttpResponse:
    """GET says what the decision would do and asks; POST does it and returns to the edition."""
    user: Any = request.user
    if not may(user, Right.SEND, visible_edition(user, pk).publication_id):
        raise PermissionDenied
    if decision not in _LABELS:
        raise Http404
    asked = get_object_or_404(
        Batch.objects.select_related("send__edition__publication"), pk=batch, send=send, send__edition=pk
    )
    edition = asked.send.edition
    if request.method != "POST":
        return _ask(request, asked, decision)
    if decision == "resend":
        require_recent_login_for(request, asked.live)
    carry_out = decisions.resend if decision == "resend" else decisions.leave
    if carry_out(asked.pk, who=user.get_username(), by=user):
        log(instance=edition, action="newsdesk.settle", user=user, data={"batch": asked.pk, "decided": decision})
        messages.success(request, "They get it again." if decision == "resend" else "They are left as they are.")
    else:
        messages.warning(request, "It was settled meanwhile: nothing was changed.")
    return redirect(edit_url(edition))


def _ask(request: HttpRequest, batch: Batch, decision: str) -> HttpResponse:
    title, yes = _LABELS[decision]
    edition = batch.send.edition
    context = {
        "question": _sentence(batch, decision),
        "yes": yes,
        "edition": edition,
        **header(title, "help", (str(edition), edit_url(edition))),
    }
    return TemplateResponse(request, "web/desk/confirm.html", context)


def _sentence(batch: Batch, decision: str) -> str:
    count = batch.live
    readers = f"{count:,} reader{'' if count == 1 else 's'}"
    if decision == "leave":
        return (
            f"Nobody is mailed: {readers} stay as they are. Whether they have “{batch.send.edition}” nobody will know, and no "
            "other send of it takes them."
        )
    match batch.send.status:
        case Send.Status.CANCELLED:
            return f"Nobody is mailed, for the send is cancelled: {readers} count as left out, and another send can take them."
        case Send.Status.PAUSED:
            when = "once the send goes on"
        case _:
            when = "now"
    return f"{readers} get “{batch.send.edition}” {when}. If the first request did go out after all, they get it twice."
