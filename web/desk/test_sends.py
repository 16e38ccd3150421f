"""Sending a test of an edition from its page."""

import re
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST
from wagtail.admin import messages
from wagtail.admin.ui.side_panels import BaseSidePanel

from composer.models import Edition
from composer.permissions import Right, may, may_anywhere
from tasks.transactional.test_limits import CannotTestError
from tasks.transactional.test_sends import MOST_ADDRESSES, send_test
from web.desk.visible import visible_edition

_BETWEEN_ADDRESSES = re.compile(r"[\s,;]+")


def may_test(user: Any, edition: Edition) -> bool:
    """Whoever may write the edition may look at it in an inbox; one that is not saved may still be for any publication."""
    publication = edition.publication_id
    return may(user, Right.EDIT, publication) if publication else may_anywhere(user, Right.EDIT)


class EditionTestPanel(BaseSidePanel):
    class SidePanelToggle(BaseSidePanel.SidePanelToggle):
        aria_label = "Toggle test"
        icon_name = "mail"
        has_counter = False

    name = "test"
    title = "Send a test"
    template_name = "web/desk/test_panel.html"
    order = 300

    def get_context_data(self, parent_context: dict[str, Any]) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(parent_context)
        return {
            **context,
            "csrf_token": parent_context["csrf_token"],
            "edition": self.object,
            "approved": bool(self.object.pk and self.object.approval),
            "own_address": self.request.user.email,
            "most": MOST_ADDRESSES,
            "anywhere": may(self.request.user, Right.SEND, self.object.publication_id),
        }


@require_POST
def send(request: HttpRequest, pk: int) -> HttpResponse:
    """Send the test, say how it went, and return to the editor."""
    user: Any = request.user
    edition = visible_edition(user, pk)
    if not may_test(user, edition):
        raise PermissionDenied
    addresses = [address for address in _BETWEEN_ADDRESSES.split(request.POST.get("addresses", "")) if address]
    try:
        mails = send_test(edition, addresses, by=user)
    except CannotTestError as refused:
        messages.error(request, f"No test was sent: {refused}.")
    else:
        messages.success(request, f"A test is on its way to {', '.join(mail.to_email for mail in mails)}.")
    return redirect(reverse("wagtailsnippets_composer_edition:edit", args=[pk]))
