"""A forgotten password: the same answer for every address, and an honest one where no mail could be sent at all."""

from typing import Any

from allauth.account.views import PasswordResetView

from tasks.transactional import account_mails


class ForgottenView(PasswordResetView):
    """allauth's, which does not ask for an address in vain."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "can_send": account_mails.can_send()}

    def post(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        return super().post(request, *args, **kwargs) if account_mails.can_send() else self.get(request)


forgotten = ForgottenView.as_view()
