"""How somebody who was added to the team gets in: by a mail, or by a link that the administrator hands on."""

from typing import Any

from allauth.core import ratelimit
from django.http import HttpRequest

from tasks.transactional.account_mails import NoSenderError
from web.accounts.invitations import CannotInviteError, invitation_link, send_invitation


def invite(request: HttpRequest, person: Any) -> tuple[str, str]:
    """Mail the link at which the person sets a password. Returns the link and why no mail was sent, or twice nothing.

    It works once, for NEWSDESK_INVITATION_HOURS. An address gets three such mails an hour, and whoever is logged in sends 30.
    """
    counted = f"{person.pk}:{person.email.lower()}"
    if person.email and not ratelimit.consume(request, action="invitation", key=counted, user=request.user):
        return invitation_link(person), "there were many of them within the last hour"
    try:
        send_invitation(person, request.user)
    except NoSenderError:
        return invitation_link(person), "no publication has a sender yet that it could come from"
    except CannotInviteError:
        return invitation_link(person), "the account has no e-mail address"
    return "", ""
