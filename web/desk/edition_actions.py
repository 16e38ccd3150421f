"""What a person may do with an edition: approve it, and reopen it."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.text import capfirst
from django.views.decorators.http import require_POST
from wagtail.admin import messages

from composer.approval import ApprovalBlockedError, ApprovalRefusedError
from composer.checks import Problem
from composer.models import Edition
from composer.permissions import may_approve
from tasks.approvals.approving import approve_edition, reopen_edition
from web.desk.visible import visible_edition


def approve(request: HttpRequest, edition: Edition) -> bool:
    """Approve the edition for the person who asks, and tell them how it went. Raises PermissionDenied."""
    user: Any = request.user
    if not may_approve(user, edition.publication_id):
        raise PermissionDenied
    try:
        approve_edition(edition, user)
    except ApprovalBlockedError as blocked:
        messages.error(request, _listed(blocked.problems))
    except ApprovalRefusedError as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, f"No. {edition.number} is approved. What is sent will be exactly this.")
        return True
    return False


@require_POST
def reopen(request: HttpRequest, pk: int) -> HttpResponse:
    """Take an approval back and return to the editor."""
    user: Any = request.user
    edition = visible_edition(user, pk)
    if not may_approve(user, edition.publication_id):
        raise PermissionDenied
    try:
        reopen_edition(edition, user)
    except ApprovalRefusedError as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, f"No. {edition.number} is a draft again.")
    return redirect(reverse("wagtailsnippets_composer_edition:edit", args=[pk]))


def _listed(problems: tuple[Problem, ...]) -> str:
    items = format_html_join(
        "",
        "<li>{}{}</li>",
        ((f"{capfirst(problem.where)}: " if problem.where else "", problem.message) for problem in problems),
    )
    return format_html("Not approved: mend this first.<ul>{}</ul>", items)
