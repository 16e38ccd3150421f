"""Alarms at the desk: who sees which, their words without commands, and taking one off the first page once somebody has seen to it."""

import re
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST
from wagtail import hooks
from wagtail.admin import messages

from composer.permissions import Right, may_approve, publication_ids
from tasks.alarms import raising
from tasks.models import Alarm
from web.desk import database_question

#: Messages are mailed too, and name commands there; here stand buttons.
_COMMAND = re.compile(r"[:;,]?\s*(?:or )?`?newsdesk [a-z][^.;]*(?=[.;]|$)")


def visible_alarms(user: Any) -> "QuerySet[Alarm]":
    """About publications the user may see, and about the whole installation."""
    ids = publication_ids(user, Right.SEE)
    if ids is None:
        return Alarm.objects.all()
    paths = ("publication", "edition__publication", "send__edition__publication")
    of_nobody = Q(publication=None, edition=None, send=None)
    return Alarm.objects.filter(of_nobody | Q(*((f"{path}__in", ids) for path in paths), _connector=Q.OR))


def publication_of(alarm: Alarm) -> int | None:
    """The id of the publication it is about; None: the whole installation."""
    edition = _edition(alarm)
    return edition.publication_id if edition else alarm.publication_id


def _edition(alarm: Alarm) -> Any:
    return alarm.edition or (alarm.send.edition if alarm.send else None)


def in_words(message: str) -> str:
    """An alarm's message without the commands it names."""
    text = _COMMAND.sub("", message).strip()
    return text if text.endswith((".", "?", "!")) or not text else f"{text}."


@require_POST
def clear(request: HttpRequest, pk: int) -> HttpResponse:
    """Somebody has seen to it. Wagtail lets nobody in who has no access to the desk."""
    user: Any = request.user
    alarm = get_object_or_404(visible_alarms(user).select_related("send__edition", "edition"), pk=pk)
    if not may_approve(user, publication_of(alarm)):
        raise PermissionDenied
    if database_question.is_asked_by(alarm):
        messages.warning(request, "It goes off the list with its answer: until then nothing goes out.")
    elif raising.clear(pk, who=user.get_username()):
        messages.success(request, "Done: it is off the list.")
    else:
        messages.warning(request, "Somebody has seen to it already.")
    return redirect(reverse("wagtailadmin_home"))


@hooks.register("register_admin_urls")
def our_urls() -> list[URLPattern]:
    return [path("alarms/<int:pk>/done/", clear, name="desk_clear_alarm")]
