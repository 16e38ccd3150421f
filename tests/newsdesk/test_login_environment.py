"""What an operator says about logins is read, and what is wrong is named."""

import pytest

from composer.models.membership import Role
from newsdesk.core.environment import EnvironmentVariableError, read
from newsdesk.core.login_environment import MFA_NAMES, IdentityProvider, LoginEnvironment


def test_nothing_needs_to_be_said() -> None:
    assert read({}).login == LoginEnvironment()


def test_what_is_said_is_read() -> None:
    said = read(
        {
            "NEWSDESK_REQUIRE_MFA": "Publisher, Administrator,",
            "NEWSDESK_IDLE_MINUTES": "0",
            "NEWSDESK_REAUTHENTICATE_READERS": "50",
            "NEWSDESK_MAIL_FROM": "Desk <desk@example.com>",
            "NEWSDESK_INVITATION_HOURS": "24",
            "NEWSDESK_TRUSTED_PROXIES": "1",
            "NEWSDESK_OIDC_URL": "https://id.example.com/realms/news/.well-known/openid-configuration",
            "NEWSDESK_OIDC_CLIENT_ID": "newsdesk",
            "NEWSDESK_OIDC_CLIENT_SECRET": "hush",
            "NEWSDESK_OIDC_NAME": "Harbour ID",
            "NEWSDESK_OIDC_DOMAINS": "Example.com, @example.org",
        }
    )
    assert said.login == LoginEnvironment(
        require_mfa=frozenset({"publisher", "administrator"}),
        idle_minutes=0,
        reauthenticate_readers=50,
        mail_from="Desk <desk@example.com>",
        invitation_hours=24,
        trusted_proxies=1,
        identity_provider=IdentityProvider(
            url="https://id.example.com/realms/news",
            client_id="newsdesk",
            client_secret="hush",
            name="Harbour ID",
            domains=frozenset({"example.com", "example.org"}),
        ),
    )
    assert "hush" not in repr(said)


@pytest.mark.parametrize(
    ("url", "client", "secret", "at_fault"),
    [
        ("https://id.example.com", "newsdesk", "", "NEWSDESK_OIDC_CLIENT_SECRET"),
        ("https://id.example.com", "", "hush", "NEWSDESK_OIDC_CLIENT_ID"),
        ("", "newsdesk", "hush", "NEWSDESK_OIDC_URL"),
        ("http://id.example.com", "newsdesk", "hush", "NEWSDESK_OIDC_URL"),
        ("id.example.com", "newsdesk", "hush", "NEWSDESK_OIDC_URL"),
    ],
)
def test_an_identity_provider_is_whole_and_safe(url: str, client: str, secret: str, at_fault: str) -> None:
    with pytest.raises(EnvironmentVariableError, match=f"^{at_fault}: "):
        read({"NEWSDESK_OIDC_URL": url, "NEWSDESK_OIDC_CLIENT_ID": client, "NEWSDESK_OIDC_CLIENT_SECRET": secret})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NEWSDESK_IDLE_MINUTES", "soon"),
        ("NEWSDESK_REAUTHENTICATE_READERS", "-1"),
        ("NEWSDESK_INVITATION_HOURS", "1.5"),
        ("NEWSDESK_TRUSTED_PROXIES", "9999999999"),
        ("NEWSDESK_MAIL_FROM", "the desk"),
        ("NEWSDESK_REQUIRE_MFA", "publishers"),
    ],
)
def test_what_cannot_be_meant_is_named(name: str, value: str) -> None:
    with pytest.raises(EnvironmentVariableError, match=f"^{name}: "):
        read({name: value})


def test_a_second_factor_can_be_demanded_of_every_role() -> None:
    assert {"all", "superusers", *Role.values} == MFA_NAMES
