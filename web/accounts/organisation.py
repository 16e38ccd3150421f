"""Logging in through an organisation's own identity provider (OpenID Connect Core 1.0), where NEWSDESK_OIDC_URL names one.

It opens accounts that colleagues have made, and makes none. The first login ties the account to the provider's name for
the person (`sub`); every login needs a verified address that is the account's.
"""

import time
from collections.abc import Callable
from typing import Any

import structlog
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY, record_authentication
from allauth.account.internal.flows.reauthentication import resume_request
from allauth.account.utils import get_next_redirect_url
from allauth.account.views import LoginView as AllauthLoginView
from allauth.core import ratelimit
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter, get_adapter
from allauth.socialaccount.models import SocialAccount, SocialApp
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import get_user_model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from web.accounts.openid import FAULTS, LEEWAY, PROVIDER, OpenIdAdapter, OpenIdProvider, identity_provider, new_nonce

log = structlog.get_logger(__name__)

#: Characters of a fault that the log keeps.
_LONGEST = 400
_UNKNOWN = (
    "%s knows you, but no account here has the address that it has verified. Ask whoever runs the team to invite you."
)
_NO_ANSWER = "Signing in with %s did not work. Try again; if it happens again, tell whoever runs Newsdesk."


class OrganisationAdapter(DefaultSocialAccountAdapter):
    """What allauth asks about logins through others: there is one provider, of the settings, and nobody signs up."""

    def list_apps(self, request: HttpRequest, provider: Any = None, client_id: Any = None) -> list[SocialApp]:  # noqa: ARG002 - allauth's signature
        known = settings.LOGIN.identity_provider
        if known is None:
            return []
        options = {"server_url": known.url, "oauth_pkce_enabled": True}
        return [
            SocialApp(
                provider="openid_connect",
                provider_id=PROVIDER,
                name=known.name,
                client_id=known.client_id,
                secret=known.client_secret,
                settings=options,
            )
        ]

    def get_provider(self, request: HttpRequest, provider: Any, client_id: Any = None) -> OpenIdProvider:
        return OpenIdProvider(request, app=self.get_app(request, provider=provider, client_id=client_id))

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:  # noqa: ARG002 - allauth's signature
        return False

    def on_authentication_error(self, request: HttpRequest, provider: Any, **why: Any) -> None:
        log.warning("organisation_login_failed", error=str(why.get("exception") or why.get("error"))[:_LONGEST])
        raise ImmediateHttpResponse(_refused(request, _NO_ANSWER % provider.app.name))

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Find the account, or refuse. Whoever is inside already has only shown once more who they are."""
        user = _account(sociallogin)
        if user is None:
            raise ImmediateHttpResponse(_refused(request, _UNKNOWN % sociallogin.provider.app.name))
        if not sociallogin.state.get("again"):
            sociallogin.user = user
            return
        if user != request.user or sociallogin.auth_time < sociallogin.state["asked_at"] - LEEWAY:
            raise ImmediateHttpResponse(_refused(request, _NO_ANSWER % sociallogin.provider.app.name))
        record_authentication(request, user, method="socialaccount", provider=PROVIDER, reauthenticated=True)
        # allauth looks there for where to go on.
        request.GET = QueryDict(urlencode({"next": sociallogin.state.get("next") or reverse("wagtailadmin_home")}))
        raise ImmediateHttpResponse(resume_request(request))


class LoginView(AllauthLoginView):
    """allauth's, with a button for the organisation's provider where there is one."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "organisation": settings.LOGIN.identity_provider}


login = LoginView.as_view()


def reauthentication_methods(user: Any) -> list[dict[str, Any]]:
    """How somebody who came through the provider shows once more who they are; nothing for others."""
    known = settings.LOGIN.identity_provider
    if known is None or not SocialAccount.objects.filter(user=user.pk, provider=PROVIDER).exists():
        return []
    return [{"id": PROVIDER, "description": f"Sign in with {known.name}", "url": reverse("organisation_login")}]


@never_cache
def start(request: HttpRequest) -> HttpResponse:
    """GET has a button. POST leads to the provider, which asks again for the password where somebody is inside already."""
    known = settings.LOGIN.identity_provider
    if known is None:
        raise Http404
    following = get_next_redirect_url(request)
    if request.method != "POST":
        return render(request, "web/accounts/organisation.html", {"organisation": known, "next": following})
    limited: HttpResponse | None = ratelimit.consume_or_429(request, action="login")
    if limited is not None:
        return limited
    again = request.user.is_authenticated
    asked = {"nonce": new_nonce(request), **({"prompt": "login", "max_age": "0"} if again else {})}
    state = {"again": again, "asked_at": time.time()}
    answer = _carefully(
        request,
        lambda: (
            get_adapter(request)
            .get_provider(request, PROVIDER)
            .redirect(request, "login", next_url=following, auth_params=asked, **state)
        ),
    )
    target = answer.get("Location", "")
    if not target.startswith(("https://", "http://")):
        return answer
    # A form may lead to our own pages only (form-action), and browsers hold to it along all redirects: so a page leads on.
    return render(request, "web/accounts/organisation_leads_on.html", {"organisation": known, "target": target})


@never_cache
@require_safe
def callback(request: HttpRequest) -> HttpResponse:
    """Where the provider sends people back to, with a code that is used once."""
    if settings.LOGIN.identity_provider is None:
        raise Http404
    adapter = OpenIdAdapter(request, PROVIDER)
    answer = _carefully(request, lambda: OAuth2CallbackView.adapter_view(adapter)(request))
    _date_back(request, adapter.auth_time)
    # The address had the code in it.
    answer["Referrer-Policy"] = "no-referrer"
    return answer


def _account(sociallogin: Any) -> Any:
    """The active account with the verified address, tied to nobody else; None where there is none."""
    verified = [one.email for one in sociallogin.email_addresses if one.verified]
    found = list(get_user_model().objects.filter(email__iexact=verified[0], is_active=True)[:2]) if verified else []
    if len(found) != 1:
        return None
    if sociallogin.is_existing:
        return found[0] if found[0] == sociallogin.user else None
    account = sociallogin.account
    tied, _ = SocialAccount.objects.get_or_create(user=found[0], provider=PROVIDER, defaults={"uid": account.uid})
    if tied.uid != account.uid:
        return None
    sociallogin.account = tied
    return found[0]


def _date_back(request: HttpRequest, auth_time: float) -> None:
    """A login through the provider is as recent as its word for when it saw the person; without a word it is not recent."""
    records = request.session.get(AUTHENTICATION_METHODS_SESSION_KEY, [])
    if records and records[-1].get("method") == "socialaccount":
        records[-1]["at"] = min(records[-1]["at"], auth_time)
        request.session[AUTHENTICATION_METHODS_SESSION_KEY] = records


def _carefully(request: HttpRequest, act: Callable[[], HttpResponse]) -> HttpResponse:
    try:
        return act()
    except ImmediateHttpResponse as answered:
        response: HttpResponse = answered.response
        return response
    except FAULTS as error:
        log.warning("organisation_login_failed", error=f"{type(error).__name__}: {error}"[:_LONGEST])
        return _refused(request, _NO_ANSWER % identity_provider().name)


def _refused(request: HttpRequest, why: str) -> HttpResponse:
    messages.error(request, why)
    following = get_next_redirect_url(request)
    query = f"?{urlencode({'next': following})}" if following else ""
    where = reverse("wagtailadmin_home") if request.user.is_authenticated else reverse("account_login")
    return HttpResponseRedirect(f"{where}{query}")
