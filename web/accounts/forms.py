"""The forms before anybody is logged in."""

from typing import Any

from allauth.account.forms import LoginForm as AllauthLoginForm
from allauth.account.forms import ResetPasswordForm as AllauthResetPasswordForm
from django.contrib.auth import get_user_model
from django.db import transaction
from django.http import HttpRequest


class LoginForm(AllauthLoginForm):
    """allauth's, whose field `login` is called `username` on the page: what password managers and scripts know."""

    def add_prefix(self, field_name: str) -> str:
        return str(super().add_prefix("username" if field_name == "login" else field_name))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in ("login", "password"):
            self.fields[field].widget.attrs.pop("placeholder", None)
        self.fields["password"].help_text = ""
        self.fields["remember"].label = "Remember me"


class ResetPasswordForm(AllauthResetPasswordForm):
    """allauth's, which takes as long for addresses that nobody has: their mail is written too, and then was never there."""

    users: list[Any]

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        known = bool(self.users)
        if not known:
            self.users = [get_user_model()(pk=0, username="nobody", email=self.cleaned_data["email"])]
        with transaction.atomic():
            address: str = super().save(request, **kwargs)
            if not known:
                transaction.set_rollback(True)
        return address
