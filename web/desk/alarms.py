"""Taking an alarm off the desk's first page once somebody has seen to it."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST
from wagtail import hooks
from wagtail.admin import messages

from composer.permissions import may_approve
from tasks.alarms import raising


@require_POST
def clear(request: HttpRequest, pk: int) -> HttpResponse:
    """Somebody has seen to it. Wagtail lets nobody in who has no access to the desk."""
    user: Any = request.user
    if not may_approve(user):
        raise PermissionDenied
    if raising.clear(pk, who=user.get_username()):
        messages.success(request, "Done: it is off the list.")
    else:
        messages.warning(request, "Somebody has seen to it already.")
    return redirect(reverse("wagtailadmin_home"))


@hooks.register("register_admin_urls")
def our_urls() -> list[URLPattern]:
    return [path("alarms/<int:pk>/done/", clear, name="desk_clear_alarm")]
