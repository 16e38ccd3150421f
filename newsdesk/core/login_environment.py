"""What an operator may say about logins: part of the environment (`newsdesk.core.environment`)."""

from collections.abc import Callable
from dataclasses import dataclass

#: Everybody, superusers, or whoever has one of the roles (composer.models.membership.Role) in any publication.
MFA_NAMES = frozenset({"all", "superusers", "writer", "editor", "publisher", "analyst", "administrator"})


@dataclass(frozen=True, kw_only=True)
class LoginEnvironment:
    #: Who must have a second factor, of MFA_NAMES.
    require_mfa: frozenset[str] = frozenset()
    #: Minutes without anything done after which a session ends; 0 = never.
    idle_minutes: int = 480
    #: From so many readers on, a send asks for the password again.
    reauthenticate_readers: int = 1000
    #: Who mails about accounts come from; "" = the first publication's sender.
    mail_from: str = ""
    #: Hours for which the link of an invitation works.
    invitation_hours: int = 72
    #: Proxies in front of the web that add to X-Forwarded-For.
    trusted_proxies: int = 0


def read_login(value: Callable[[str], str]) -> LoginEnvironment:
    """Read the variables; `value` gives a variable's text, "" where it is not set.

    Raises ValueError whose message begins with the variable's name.
    """

    def whole(name: str, default: int) -> int:
        text = value(name)
        if text and not (text.isascii() and text.isdecimal() and len(text) < 10):
            raise ValueError(f"{name}: {text!r} is not a whole number.")
        return int(text) if text else default

    words = (word.strip().lower() for word in value("NEWSDESK_REQUIRE_MFA").split(","))
    require_mfa = frozenset(word for word in words if word)
    if require_mfa - MFA_NAMES:
        unknown = ", ".join(sorted(require_mfa - MFA_NAMES))
        raise ValueError(f"NEWSDESK_REQUIRE_MFA: {unknown} is none of {', '.join(sorted(MFA_NAMES))}.")
    sender = value("NEWSDESK_MAIL_FROM")
    if sender and "@" not in sender:
        raise ValueError(f"NEWSDESK_MAIL_FROM: {sender!r} is not an address, such as Newsroom <desk@example.com>.")
    return LoginEnvironment(
        require_mfa=require_mfa,
        idle_minutes=whole("NEWSDESK_IDLE_MINUTES", 480),
        reauthenticate_readers=whole("NEWSDESK_REAUTHENTICATE_READERS", 1000),
        mail_from=sender,
        invitation_hours=whole("NEWSDESK_INVITATION_HOURS", 72),
        trusted_proxies=whole("NEWSDESK_TRUSTED_PROXIES", 0),
    )
