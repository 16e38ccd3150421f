"""allauth's OpenID Connect client, held to the whole of the standard: signatures, nonce, issuer, and one address of return."""

import secrets
from typing import Any

from allauth.core.internal.deferred import jwt
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.providers.base import ProviderException
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import HttpRequest
from django.urls import reverse
from requests import RequestException

from newsdesk.core.login_environment import IdentityProvider

PROVIDER = "organisation"
#: What a provider that is down, set up wrongly or lying can make of a login.
FAULTS = (OAuth2Error, RequestException, ProviderException, PermissionDenied, ImproperlyConfigured, LookupError, TypeError, ValueError, AttributeError)  # fmt: skip
#: Signatures with the provider's own key: never none, and none with the secret that we share (RFC 8725, 3.1).
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
_NEEDED = ("iss", "sub", "aud", "exp", "iat", "nonce")
#: Seconds by which the provider's clock may differ from ours.
LEEWAY = 60
_NONCE = "newsdesk_openid_nonce"


def identity_provider() -> IdentityProvider:
    """The one of the settings; for where there surely is one."""
    known = settings.LOGIN.identity_provider
    assert known is not None
    return known


def new_nonce(request: HttpRequest) -> str:
    """A word that the provider repeats in its token: a token that was issued for another session is worth nothing here."""
    nonce = request.session[_NONCE] = secrets.token_urlsafe(24)
    return nonce


class OpenIdAdapter(OpenIDConnectOAuth2Adapter):
    #: When the provider last saw the person prove who they are, in unix seconds; 0 where it does not say.
    auth_time: float = 0.0

    @property
    def openid_config(self) -> dict[str, Any]:
        config: dict[str, Any] = super().openid_config
        # OpenID Connect Discovery 1.0, 4.3.
        if str(config["issuer"]).rstrip("/") != identity_provider().url:
            raise OAuth2Error(f"the provider calls itself {config['issuer']!r}")
        return config

    def get_callback_url(self, request: HttpRequest, app: Any) -> str:  # noqa: ARG002 - allauth's signature
        """The public one, whatever host a request names."""
        return f"{settings.BASE_URL}{reverse('organisation_callback')}"

    def complete_login(self, request: HttpRequest, app: Any, token: Any, **kwargs: Any) -> Any:
        """The login of whoever the signed token names. Raises OAuth2Error and what else is in FAULTS."""
        claims = self._claims(request, app, str(kwargs["response"]["id_token"]))
        if "email" not in claims:
            said = self._fetch_user_info(token.token)
            # OpenID Connect Core 1.0, 5.3.2.
            if said["sub"] != claims["sub"]:
                raise OAuth2Error("the provider speaks of somebody else")
            claims = {**said, **claims}
        self.auth_time = float(claims.get("auth_time") or 0)
        login = self.get_provider().sociallogin_from_response(request, {"id_token": claims})
        login.auth_time = self.auth_time
        return login

    def _claims(self, request: HttpRequest, app: Any, written: str) -> dict[str, Any]:
        """OpenID Connect Core 1.0, 3.1.3.7."""
        try:
            claims: dict[str, Any] = jwt.decode(
                written,
                key=self._key(jwt.get_unverified_header(written)),
                algorithms=_ALGORITHMS,
                audience=app.client_id,
                issuer=self.openid_config["issuer"],
                leeway=LEEWAY,
                options={"require": list(_NEEDED)},
            )
        except jwt.PyJWTError as error:
            raise OAuth2Error(f"its token is not good: {error}") from error
        if claims["nonce"] != request.session.pop(_NONCE, None):
            raise OAuth2Error("its token was issued for another login")
        if claims.get("azp", app.client_id) != app.client_id:
            raise OAuth2Error("its token was issued to somebody else")
        return claims

    def _key(self, header: dict[str, Any]) -> Any:
        """The provider's key that a token's header names; its only one where it names none."""
        with get_adapter().get_requests_session() as session:
            answer = session.get(self.openid_config["jwks_uri"])
            answer.raise_for_status()
            keys = jwt.PyJWKSet.from_dict(answer.json()).keys
        fitting = [key for key in keys if key.key_id == header.get("kid")] if "kid" in header else keys
        if len(fitting) != 1:
            raise OAuth2Error("its token is signed with a key that it does not publish")
        return fitting[0]


class OpenIdProvider(OpenIDConnectProvider):
    oauth2_adapter_class = OpenIdAdapter

    def extract_extra_data(self, data: Any) -> dict[str, Any]:  # noqa: ARG002 - allauth's signature
        """Nothing of what the provider says is kept but its name for the person."""
        return {}

    def extract_email_addresses(self, data: Any) -> list[Any]:
        """Verified is what the provider says so of in so many words, or what is in a domain of NEWSDESK_OIDC_DOMAINS."""
        addresses: list[Any] = super().extract_email_addresses(data)
        domains = identity_provider().domains
        for address in addresses:
            inside = str(address.email).rpartition("@")[2].lower() in domains
            address.verified = inside if domains else data["id_token"].get("email_verified") is True
        return addresses
