"""What a person may do with a send: each as the command line does it, and asked about first where it mails readers."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.text import capfirst
from wagtail.admin import messages
from wagtail.log_actions import log

from composer import slots
from composer.permissions import Right, may
from newsdesk.core.errors import InputError, RefusedError
from tasks.approvals import releasing
from tasks.database import clock
from tasks.models import Send
from tasks.sends import control, database_doubts, expected_readers, undo
from tasks.sends.counts import counts
from tasks.sends.resend_to_missed import resend_to_missed, send_to_left_out
from web.accounts.recent_login import require_recent_login_for
from web.desk.headers import header
from web.desk.scheduling import edit_url, spoken
from web.desk.sends import LABELS, has_rest
from web.desk.visible import visible_edition

#: These mail readers or cannot be undone, so they are asked about first.
_ASKED = frozenset({"resume", "release-now", "release-next-slot", "cancel", "rest", "left-out"})
_MAILS = _ASKED - {"cancel"}
#: What a send then is, for the message.
_DONE = {"pause": "paused", "resume": "going on", "cancel": "cancelled", "undo": "taken back"}


def act(request: HttpRequest, pk: int, send: int, what: str) -> HttpResponse:
    """POST does it and returns to the edition; GET asks first, where it mails readers or cannot be undone."""
    user: Any = request.user
    if not may(user, Right.SEND, visible_edition(user, pk).publication_id):
        raise PermissionDenied
    asked = get_object_or_404(Send.objects.select_related("edition__publication", "approval"), pk=send, edition=pk)
    if what not in {*_DONE, *_ASKED}:
        raise Http404
    try:
        if request.method != "POST":
            return _ask(request, asked, what)
        if what in _MAILS:
            require_recent_login_for(request, _mailed(asked, what, user))
        done = _do(asked, what, user)
    except undo.UndoError as refused:
        hint = " Pause or Cancel stops what remains." if refused.can_stop else ""
        messages.error(request, f"{capfirst(refused.why)}.{hint}")
    except (RefusedError, InputError) as refused:
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
        case "rest":
            _refuse_second_rest(send)
            resend_to_missed(send.pk, by=user)
            return f"No. {send.edition.number} goes out now to those who did not get it."
        case "left-out":
            send_to_left_out(send.pk, by=user)
            return f"No. {send.edition.number} goes out now to those who were left out."
        case "undo":
            undo.undo(send.pk, by=user)
            done = True
        case "pause":
            done = control.pause(send.pk, f"Paused by {user.get_full_name() or user.get_username()}.", by=user)
        case "resume":
            if database_doubts.may_be_out(send):
                raise RefusedError(f"send {send.pk}: {database_doubts.MAY_BE_OUT}")
            done = control.resume(send.pk, by=user)
        case _:
            done = control.cancel(send.pk, by=user)
    if not done:
        send.refresh_from_db()
        raise RefusedError(f"send {send.pk} is {send.get_status_display()} by now: it was left alone")
    return f"Send {send.pk} is {_DONE[what]}."


def _ask(request: HttpRequest, send: Send, what: str) -> HttpResponse:
    if what not in _ASKED:
        raise Http404
    title = LABELS.get(what, capfirst(what))
    context = {
        "question": question(send, what, request.user),
        "yes": "Yes, cancel it" if what == "cancel" else "Yes, send it",
        "edition": send.edition,
        **header(title, "mail", (str(send.edition), edit_url(send.edition))),
    }
    return TemplateResponse(request, "web/desk/confirm.html", context)


def question(send: Send, what: str, user: Any) -> str:
    """What the action would do, in a sentence that says how many readers it would mail. Raises RefusedError, InputError."""
    edition = send.edition
    readers = _readers(_mailed(send, what, user))
    if what == "rest":
        return (
            f"{readers} who did not get “{edition}” get it now. Whoever has it, or may have it, does not get it again."
        )
    if what == "left-out":
        return f"{readers} whom other sends left out because of this one get “{edition}” now. Nobody else does, and nobody gets it twice."
    submitted = counts(send).submitted
    had = f" {_readers(submitted)} had it before." if submitted else ""
    if what == "cancel":
        return f"{readers} of “{edition}” do not get it from this send. That cannot be undone.{had}"
    return f"{readers} get “{edition}” {_when(send, what)}.{had}"


def _mailed(send: Send, what: str, user: Any) -> int:
    """How many readers the action would mail, or keep from being mailed. Raises RefusedError, InputError."""
    if what == "rest":
        _refuse_second_rest(send)
        return expected_readers.of_rest(send.pk, by=user)
    if what == "left-out":
        return expected_readers.of_left_out(send.pk, by=user)
    return counts(send).pending if send.prepared_at else expected_readers.of_unprepared(send)


def _when(send: Send, what: str) -> str:
    edition = send.edition
    if what == "release-next-slot":
        slot = slots.next_free_slot(edition.publication, clock.now())
        return f"on {spoken(slot, edition)}, with the next slot" if slot else "with the next slot"
    if send.local_at and not send.prepared_at:
        return f"at {send.local_at[:16].replace('T', ' ')} on each reader’s own clock; now, where that has passed"
    is_due = what == "release-now" or send.prepared_at or send.scheduled_at <= clock.now()
    return "now" if is_due else f"on {spoken(send.scheduled_at, edition)}"


def _refuse_second_rest(send: Send) -> None:
    if has_rest(send):
        raise RefusedError(f"no. {send.edition.number} was sent to the rest already")


def _readers(count: int) -> str:
    return f"{count:,} reader{'' if count == 1 else 's'}"
