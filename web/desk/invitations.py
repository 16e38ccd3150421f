"""How somebody who was added to the team gets in: by a mail, or by a link that the administrator hands on."""

from typing import Any

from tasks.transactional.account_mails import NoSenderError
from web.accounts.invitations import CannotInviteError, invitation_link, send_invitation


def invite(person: Any, *, by: Any) -> str:
    """Mail the link at which the person sets a password. Returns the link where no mail could be handed over, else nothing.

    It works once, for NEWSDESK_INVITATION_HOURS.
    """
    try:
        send_invitation(person, by)
    except (NoSenderError, CannotInviteError):
        return invitation_link(person)
    return ""
