"""Batches of which nobody knows whether their readers have the edition: what is known of each, and a person's decision."""

import re
from collections.abc import Sequence
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
    #: Further ones; all of them, and their readers.
    more: int
    batches: int
    readers: int
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
    return Doubts(
        undecided=undecided[:SHOWN],
        more=max(0, len(undecided) - SHOWN),
        batches=len(undecided),
        readers=sum(doubt.readers for doubt in undecided),
        left_readers=left,
    )


def decide(request: HttpRequest, pk: int, send: int, batch: int, decision: str) -> HttpResponse:
    """GET says what the decision about one batch would do and asks; POST does it and returns to the edition."""
    asked = _asked(request, pk, send, decision)
    return _decide(request, asked, [get_object_or_404(Batch, pk=batch, send=asked)], decision)


def decide_all(request: HttpRequest, pk: int, send: int, decision: str) -> HttpResponse:
    """The same about all batches of a send that are in doubt; POST about those of them that were when it was asked, and no others."""
    asked = _asked(request, pk, send, decision)
    batches = decisions.undecided(asked.pk)
    if request.method == "POST":
        were = set(re.findall(r"[0-9]+", request.POST.get("batches", "")))
        batches = [batch for batch in batches if str(batch.pk) in were]
    return _decide(request, asked, batches, decision)


def _asked(request: HttpRequest, pk: int, send: int, decision: str) -> Send:
    """The send, where the user may decide about it. Raises PermissionDenied, and Http404."""
    if not may(request.user, Right.SEND, visible_edition(request.user, pk).publication_id):
        raise PermissionDenied
    if decision not in _LABELS:
        raise Http404
    return get_object_or_404(Send.objects.select_related("edition__publication"), pk=send, edition=pk)


def _decide(request: HttpRequest, send: Send, batches: Sequence[Batch], decision: str) -> HttpResponse:
    user: Any = request.user
    readers = sum(batch.live for batch in batches)
    if not batches:
        messages.warning(request, "It was settled meanwhile: nothing was changed.")
        return redirect(edit_url(send.edition))
    if request.method != "POST":
        return _ask(request, send, batches, readers, decision)
    if decision == "resend":
        require_recent_login_for(request, readers)
    carry_out = decisions.resend if decision == "resend" else decisions.leave
    decided = [batch.pk for batch in batches if carry_out(batch.pk, who=user.get_username(), by=user)]
    for batch in decided:
        log(instance=send.edition, action="newsdesk.settle", user=user, data={"batch": batch, "decided": decision})
    if decided:
        messages.success(request, "They get it again." if decision == "resend" else "They are left as they are.")
    else:
        messages.warning(request, "It was settled meanwhile: nothing was changed.")
    return redirect(edit_url(send.edition))


def _ask(request: HttpRequest, send: Send, batches: Sequence[Batch], readers: int, decision: str) -> HttpResponse:
    title, yes = _LABELS[decision]
    context = {
        "question": _sentence(send, readers, decision),
        "yes": yes,
        "edition": send.edition,
        "batches": ",".join(str(batch.pk) for batch in batches),
        **header(title, "help", (str(send.edition), edit_url(send.edition))),
    }
    return TemplateResponse(request, "web/desk/confirm.html", context)


def _sentence(send: Send, count: int, decision: str) -> str:
    readers = f"{count:,} reader{'' if count == 1 else 's'}"
    if decision == "leave":
        return (
            f"Nobody is mailed: {readers} stay as they are. Whether they have “{send.edition}” nobody will know, and no "
            "other send of it takes them."
        )
    match send.status:
        case Send.Status.CANCELLED:
            return f"Nobody is mailed, for the send is cancelled: {readers} count as left out, and another send can take them."
        case Send.Status.PAUSED:
            when = "once the send goes on"
        case _:
            when = "now"
    return f"{readers} get “{send.edition}” {when}. If the first request did go out after all, they get it twice."
