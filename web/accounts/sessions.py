"""Rules that hold for every session of the desk: an idle one ends, and who must have a second factor sets one up first."""

import time
from collections.abc import Callable
from typing import Any

from allauth.mfa.utils import is_mfa_enabled
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode

from composer.models import Membership

DESK = "/desk/"
SECURITY = "/desk/security/"
#: Open to somebody who has yet to set up a second factor.
_OPEN = (SECURITY, "/desk/login/", "/desk/logout/", "/desk/jsi18n/", "/desk/sprite/")
#: Seconds between two notes of when something was done: not every request writes.
_NOTED_EVERY = 60
_NOTED = "newsdesk_active_at"


class SessionRules:
    """Middleware, after allauth's."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith(DESK) and request.user.is_authenticated:
            refused = _end_if_closed(request) or _end_if_idle(request) or _ask_for_second_factor(request)
            if refused is not None:
                return refused
        return self.get_response(request)


def may_enter(user: Any) -> bool:
    """Whether the desk is open to the user at all."""
    return bool(user.is_active and user.has_perm("wagtailadmin.access_admin"))


def must_have_mfa(user: Any) -> bool:
    """Whether NEWSDESK_REQUIRE_MFA names the user: by "all", "superusers", or a role they have in any publication."""
    named = settings.LOGIN.require_mfa
    if not named:
        return False
    if "all" in named or ("superusers" in named and user.is_superuser):
        return True
    return bool(Membership.objects.filter(user=user.pk, role__in=named).exists())


def end_all(user: Any) -> None:
    """Log the user out everywhere: a session does not come back to life with the account."""
    for session in UserSession.objects.filter(user=user.pk):
        session.end()


def _end_if_closed(request: HttpRequest) -> HttpResponse | None:
    if may_enter(request.user):
        return None
    logout(request)
    messages.error(request, "This account may not use the desk. Ask whoever runs it.")
    return HttpResponseRedirect(reverse("account_login"))


def _end_if_idle(request: HttpRequest) -> HttpResponse | None:
    limit = settings.LOGIN.idle_minutes * 60
    now = time.time()
    noted = request.session.get(_NOTED, now)
    if limit and now - noted > limit:
        logout(request)
        messages.info(request, "You were logged out, since nothing was done for a while.")
        query = urlencode({"next": request.get_full_path()}) if request.method == "GET" else ""
        return HttpResponseRedirect(f"{reverse('account_login')}?{query}")
    if _by_a_person(request) and (_NOTED not in request.session or now - noted > _NOTED_EVERY):
        request.session[_NOTED] = now
        # The list of sessions says where and when each was last used.
        UserSession.objects.create_from_request(request)
    return None


def _by_a_person(request: HttpRequest) -> bool:
    """A page that is opened or a form that is sent, not what an open page asks for by itself."""
    if request.headers.get("Sec-Fetch-Dest", "document") in {"document", "iframe"}:
        return True
    return request.method == "POST" and "editing-sessions" not in request.path


def _ask_for_second_factor(request: HttpRequest) -> HttpResponse | None:
    if request.path.startswith(_OPEN) or not must_have_mfa(request.user) or is_mfa_enabled(request.user):
        return None
    messages.warning(request, "Your account needs a second factor: set up an authenticator app or a passkey first.")
    return HttpResponseRedirect(reverse("mfa_index"))
