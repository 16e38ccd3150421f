"""Whoever does something that cannot be taken back shows once more who they are, unless they have just done so."""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.internal.flows.login import get_authentication_records
from allauth.core.exceptions import ReauthenticationRequired
from django.conf import settings
from django.http import HttpRequest


def logged_in_recently(request: HttpRequest) -> bool:
    """Whether the session's user has given a password, a code or a passkey within ACCOUNT_REAUTHENTICATION_TIMEOUT seconds."""
    records = get_authentication_records(request, request.user)
    return any(time.time() - record["at"] < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT for record in records)


def require_recent_login(request: HttpRequest) -> None:
    """Go on only with a recent login. Otherwise allauth's middleware asks for it, and then repeats the request as it was.

    Raises ReauthenticationRequired, which is for that middleware.
    """
    if not logged_in_recently(request):
        raise ReauthenticationRequired


def require_recent_login_for(request: HttpRequest, readers: int) -> None:
    """The same, for what mails so many readers: from NEWSDESK_REAUTHENTICATE_READERS on. Raises as above."""
    if readers >= settings.LOGIN.reauthenticate_readers:
        require_recent_login(request)


def recently_authenticated(view: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator for a view whose every POST needs a recent login: changes of the team."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if request.method == "POST":
            require_recent_login(request)
        return view(request, *args, **kwargs)

    return guarded
