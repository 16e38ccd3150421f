"""What an operator may say about logins: part of the environment (`newsdesk.core.environment`)."""

from dataclasses import dataclass

from newsdesk.core.environment_variables import EnvironmentVariableError, Variables

#: Everybody, superusers, or whoever has one of the roles (composer.models.membership.Role) in any publication.
MFA_NAMES = frozenset({"all", "superusers", "writer", "editor", "publisher", "analyst", "administrator"})
#: More of anything is a slip of the keyboard.
_MOST = 999_999_999


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


def read_login(variables: Variables) -> LoginEnvironment:
    """Raises EnvironmentVariableError."""
    usual = LoginEnvironment()
    require_mfa = frozenset(filter(None, map(str.strip, variables.text("NEWSDESK_REQUIRE_MFA").lower().split(","))))
    if require_mfa - MFA_NAMES:
        unknown = ", ".join(sorted(require_mfa - MFA_NAMES))
        raise EnvironmentVariableError(f"NEWSDESK_REQUIRE_MFA: {unknown} is none of {', '.join(sorted(MFA_NAMES))}.")
    sender = variables.text("NEWSDESK_MAIL_FROM")
    if sender and "@" not in sender:
        raise EnvironmentVariableError(
            f"NEWSDESK_MAIL_FROM: {sender!r} is not an address, such as Newsroom <desk@example.com>."
        )

    def number(name: str, default: int) -> int:
        return variables.whole(name, default, most=_MOST)

    return LoginEnvironment(
        require_mfa=require_mfa,
        idle_minutes=number("NEWSDESK_IDLE_MINUTES", usual.idle_minutes),
        reauthenticate_readers=number("NEWSDESK_REAUTHENTICATE_READERS", usual.reauthenticate_readers),
        mail_from=sender,
        invitation_hours=number("NEWSDESK_INVITATION_HOURS", usual.invitation_hours),
        trusted_proxies=number("NEWSDESK_TRUSTED_PROXIES", usual.trusted_proxies),
    )
