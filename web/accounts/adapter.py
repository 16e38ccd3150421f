"""What the desk asks of django-allauth that its settings cannot say."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from tasks.transactional import account_mails
from web.accounts import organisation
from web.accounts.recent_login import logged_in_recently


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are made by colleagues; links in mails lead to BASE_URL, whatever host a request names."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": "The username or the password is wrong.",
        "too_many_login_attempts": "Too many wrong passwords. Wait a minute and try again; each further round takes longer.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002 - allauth's signature
        return False

    def is_reauthentication_required(self, *, app: str = "") -> bool:  # noqa: ARG002 - allauth's signature
        return self.request is None or not logged_in_recently(self.request)

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """allauth's, and last the organisation's provider for those who come through it."""
        return [*super().get_reauthentication_methods(user), *organisation.reauthentication_methods(user)]

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:  # noqa: ARG002 - allauth's signature
        return reverse("mfa_index")

    def get_reset_password_from_key_url(self, key: str) -> str:
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": "UID", "key": "KEY"})
        return f"{settings.BASE_URL}{path.replace('UID-KEY', key)}"

    def get_from_email(self) -> str:
        return account_mails.sender()

    def is_safe_url(self, url: Any) -> bool:
        """Only paths of our own: no other host that a request names."""
        return (
            isinstance(url, str)
            and url.startswith("/")
            and not url.startswith(("//", "/\\"))
            and bool(super().is_safe_url(url))
        )
