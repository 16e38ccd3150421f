"""Answering what the database is, where its mark is missing or came with a copy and nothing goes out until a person has said it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import F, QuerySet, Sum
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from wagtail import hooks
from wagtail.admin import messages
from wagtail.log_actions import log

from composer.permissions import Right, may
from tasks.database import clock, identity
from tasks.database.high_water import UnsureError
from tasks.models import Alarm, Attempt, Batch, Installation, Send
from tasks.sends import database_behind, database_moved
from web.accounts.recent_login import require_recent_login
from web.desk.headers import header
from web.desk.scheduling import spoken
from web.desk.times import countdown

SHOWN = 5
NEWEST, RESTORED = "newest", "restored"
#: Of a send under way, what has no end becomes unknown.
_NO_END = (Batch.Status.PENDING, Batch.Status.BUILDING, Batch.Status.SUBMITTING)


class AnswerForm(forms.Form):
    database = forms.ChoiceField(
        choices=[(NEWEST, "newest"), (RESTORED, "restored")],
        error_messages={"required": "Choose one of the two.", "invalid_choice": "Choose one of the two."},
    )


@dataclass(frozen=True, kw_only=True)
class OpenSend:
    """A send that is not over, and what becomes of it if the database is the newest."""

    send: Send
    becomes: str


@dataclass(frozen=True, kw_only=True)
class OpenSends:
    #: Up to SHOWN that would go on, in the order in which they go out, and how many more.
    going_on: Sequence[OpenSend]
    more: int
    under_way: int
    scheduled: int
    #: All that are not over, those that are paused already included.
    not_over: int
    paused: int
    #: Readers of sends under way who would be in doubt.
    readers: int


def url() -> str:
    return reverse("desk_database_question")


def may_answer(user: Any) -> bool:
    """Either answer is about all sends: they go out, or wait."""
    return may(user, Right.SEND, None)


def is_asked_by(alarm: Alarm) -> bool:
    """Whether the alarm asks what the database is, and nobody has answered yet, as far as can be said now."""
    if alarm.code not in Alarm.DATABASE_UNCONFIRMED:
        return False
    try:
        return database_behind.open_question() is not None
    except UnsureError:
        return True


def url_for(user: Any) -> str:
    """Where this user answers what is asked now; empty where nothing is, or somebody else answers it."""
    open_alarms = Alarm.objects.filter(code__in=Alarm.DATABASE_UNCONFIRMED, cleared_at=None)
    return url() if may_answer(user) and any(is_asked_by(alarm) for alarm in open_alarms) else ""


def answer(request: HttpRequest) -> HttpResponse:
    """GET asks and says what follows from either answer; POST carries one out and returns to the first page."""
    if not may_answer(request.user):
        raise PermissionDenied
    try:
        question = database_behind.open_question()
        if question is None:
            return _answered_already(request)
        form = AnswerForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            return _carry_out(request, restored=form.cleaned_data["database"] == RESTORED)
    except UnsureError:
        messages.error(
            request,
            "Redis does not answer, and may know how far was sent. Nothing was changed; answer once it is back.",
        )
        return _home()
    context = {
        "form": form,
        "chosen": form["database"].value(),
        "is_copy": question == Alarm.Code.HOME_COPIED,
        "last": _last_mails(),
        "sends": open_sends(),
        **header("What is this database?", "warning"),
    }
    return TemplateResponse(request, "web/desk/database_question.html", context, status=422 if form.errors else 200)


def _carry_out(request: HttpRequest, *, restored: bool) -> HttpResponse:
    """Raises UnsureError, and ReauthenticationRequired."""
    user: Any = request.user
    if not restored:
        # However few are mailed: a wrong answer mails readers twice, and cannot be taken back.
        require_recent_login(request)
    try:
        held = database_behind.answer(who=user.get_username(), restored=restored)
    except OSError as error:
        waiting = " Every send that is not over waits for you already." if restored else ""
        messages.error(
            request,
            f"The answer could not be written down on this machine: {error.strerror or error}. Nothing goes out before it "
            f"can; answer again then.{waiting}",
        )
        return _home()
    if held is None:
        return _answered_already(request)
    data = {"database": RESTORED if restored else NEWEST, "held": held}
    log(instance=Installation.objects.get(), action="newsdesk.database", user=user, data=data)
    messages.success(request, _done(held, restored=restored))
    return _home()


def _done(held: Sequence[int], *, restored: bool) -> str:
    if not restored:
        return "Your answer: it is the newest database. Sends go on by themselves."
    if not held:
        return "Your answer: the database came from a backup. No send was open; new ones go out."
    waits = "1 send waits" if len(held) == 1 else f"{len(held):,} sends wait"
    return f"Your answer: the database came from a backup. {waits} for you."


def _answered_already(request: HttpRequest) -> HttpResponseRedirect:
    messages.warning(request, "It was answered meanwhile: nothing was changed.")
    return _home()


def _home() -> HttpResponseRedirect:
    return redirect(reverse("wagtailadmin_home"))


def open_sends() -> OpenSends:
    """What the answer is about."""
    not_over = Send.objects.filter(status__in=Send.NOT_OVER)
    under_way = not_over.filter(status=Send.Status.SENDING)
    scheduled = not_over.filter(status=Send.Status.SCHEDULED)
    first = [*_of(under_way, "pk"), *_of(scheduled, "scheduled_at")][:SHOWN]
    here = identity.current()
    counted = {"under_way": under_way.count(), "scheduled": scheduled.count(), "not_over": not_over.count()}
    no_end = Batch.objects.filter(send__in=not_over, status__in=_NO_END)
    return OpenSends(
        going_on=[OpenSend(send=send, becomes=_becomes(send, here)) for send in first],
        more=counted["under_way"] + counted["scheduled"] - len(first),
        paused=counted["not_over"] - counted["under_way"] - counted["scheduled"],
        readers=no_end.aggregate(readers=Sum(F("size") - F("excluded") - F("failed"), default=0))["readers"],
        **counted,
    )


def _of(sends: "QuerySet[Send]", order: str) -> "QuerySet[Send]":
    return sends.select_related("edition__publication").order_by(order)[:SHOWN]


def _becomes(send: Send, here: identity.DatabaseIdentity) -> str:
    if database_moved.has_moved(send, here):
        return "waits for you all the same: it was made in another database"
    if send.status == Send.Status.SENDING:
        return "is under way, and goes on at once"
    at = spoken(send.scheduled_at, send.edition)
    now = clock.now()
    if send.scheduled_at <= now:
        return f"was due on {at}, and goes out at once, or is held where that is too late"
    return f"goes out on {at}, {countdown(send.scheduled_at, now)}"


def _last_mails() -> dict[str, Any] | None:
    """The last request that the database knows of, to compare with the provider's record; probes go to no reader."""
    fenced = Attempt.objects.filter(fence__isnull=False, batch__isnull=False).order_by("-fence")
    last = fenced.select_related("batch__send__edition__publication").first()
    if last is None or last.batch is None:
        return None
    edition = last.batch.send.edition
    return {"edition": edition, "at": spoken(last.fenced_at, edition)}


@hooks.register("register_admin_urls")
def our_urls() -> list[URLPattern]:
    return [path("confirm-database/", answer, name="desk_database_question")]
