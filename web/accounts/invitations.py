"""A new colleague gets a mail with a link that works once, and chooses a password with it."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import get_user_model
from django.contrib.auth.forms import SetPasswordForm
from django.core import signing
from django.core.mail import EmailMessage
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from newsdesk.core.errors import RefusedError
from tasks.transactional import account_mails

_SALT = "newsdesk.invitation"


class CannotInviteError(RefusedError):
    """The user cannot be invited; the message says why."""


def send_invitation(user: Any, by: Any) -> None:
    """Mail `user` a link to choose a password; it works once, for NEWSDESK_INVITATION_HOURS. `by`: who invites.

    The mail is written in the caller's transaction. A second invitation may be sent; as soon as one of the links was used,
    none works. Raises CannotInviteError, and NoSenderError where no mail can be sent.
    """
    if not user.email:
        raise CannotInviteError(f"{user.get_username()} has no mail address.")
    if not user.is_active:
        raise CannotInviteError(f"{user.get_username()} is not active.")
    context = {
        "user": user,
        "by": by.get_full_name() or by.get_username(),
        "hours": settings.LOGIN.invitation_hours,
        "link": invitation_link(user),
    }
    text = render_to_string("web/accounts/invitation.txt", context)
    was_here = user.last_login is not None
    subject = "Your new password" if was_here else f"{context['by']} invites you to the newsroom"
    EmailMessage(subject, text, account_mails.sender(), [user.email]).send()


def invitation_link(user: Any) -> str:
    """The link that is mailed, for whoever hands it on where no mail can be."""
    return f"{settings.BASE_URL}{reverse('invitation', args=[_token(user)])}"


@never_cache
@sensitive_post_parameters()
def accept(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks for a password, POST sets it; a link that was used or is too old says so."""
    user = _invited(token)
    form = SetPasswordForm(user, request.POST or None) if user is not None else None
    if form is not None and request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Your password is set. Log in with it.")
        return HttpResponseRedirect(reverse("account_login"))
    answer = render(request, "web/accounts/invitation.html", {"form": form}, status=200 if form else 410)
    # The address is the key.
    answer["Referrer-Policy"] = "no-referrer"
    return answer


def _token(user: Any) -> str:
    return signing.dumps([user.pk, _state(user)], salt=_SALT)


def _state(user: Any) -> str:
    """What changes as soon as the link was used: the password."""
    return salted_hmac(_SALT, f"{user.pk}:{user.password}:{user.email}", algorithm="sha256").hexdigest()[:32]


def _invited(token: str) -> Any:
    try:
        pk, state = signing.loads(token, salt=_SALT, max_age=settings.LOGIN.invitation_hours * 3600)
    except signing.BadSignature:
        return None
    user = get_user_model().objects.filter(pk=pk, is_active=True).first()
    return user if user is not None and _state(user) == state else None
