"""What an operator may say about logins: part of the environment (`newsdesk.core.environment`)."""

from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

from newsdesk.core.environment_variables import EnvironmentVariableError, Variables

#: Everybody, superusers, or whoever has one of the roles (composer.models.membership.Role) in any publication.
MFA_NAMES = frozenset({"all", "superusers", "writer", "editor", "publisher", "analyst", "administrator"})
#: More of anything is a slip of the keyboard.
_MOST = 999_999_999


@dataclass(frozen=True, kw_only=True)
class IdentityProvider:
    """An organisation's OpenID provider, through which its people may log in to accounts that they have here."""

    #: Its issuer, without a slash at the end.
    url: str
    client_id: str
    client_secret: str = field(repr=False)
    #: As people call it; it stands on a button.
    name: str = "your organisation"
    #: Domains in lower case; only addresses in them are taken, verified or not. Empty: any address that is verified.
    domains: frozenset[str] = frozenset()


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
    identity_provider: IdentityProvider | None = None


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
        identity_provider=_identity_provider(variables),
    )


def _identity_provider(variables: Variables) -> IdentityProvider | None:
    needed = ("NEWSDESK_OIDC_URL", "NEWSDESK_OIDC_CLIENT_ID", "NEWSDESK_OIDC_CLIENT_SECRET")
    url, client_id, client_secret = variables.url(needed[0], ("https", "http")), *map(variables.text, needed[1:])
    name, domains = variables.text("NEWSDESK_OIDC_NAME"), variables.words("NEWSDESK_OIDC_DOMAINS")
    for missing, value in zip(needed, (url, client_id, client_secret), strict=True):
        if not value and (url or client_id or client_secret):
            raise EnvironmentVariableError(f"{missing}: {', '.join(needed)} belong together; this one is missing.")
    if not url:
        return None
    if url.startswith("http://") and not _is_this_machine(urlsplit(url).hostname or ""):
        raise EnvironmentVariableError("NEWSDESK_OIDC_URL: everybody on the way could log in; it must be https.")
    return IdentityProvider(
        url=url.removesuffix("/.well-known/openid-configuration").rstrip("/"),
        client_id=client_id,
        client_secret=client_secret,
        name=name or IdentityProvider.name,
        domains=frozenset(domain.lower().removeprefix("@") for domain in domains),
    )


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
