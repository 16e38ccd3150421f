"""What a person must look at, above everything else on the desk's first page."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST
from wagtail import hooks
from wagtail.admin import messages
from wagtail.admin.ui.components import Component

from composer.permissions import may_approve
from tasks.alarms import raising
from tasks.models import Alarm

SHOWN = 10


class AlarmsPanel(Component):
    name = "alarms"
    template_name = "web/desk/alarms_panel.html"
    order = 50

    def get_context_data(self, parent_context: dict[str, Any]) -> dict[str, Any]:
        request = parent_context["request"]
        open_alarms = Alarm.objects.filter(cleared_at=None)
        found = list(open_alarms.select_related("send__edition", "edition", "publication")[: SHOWN + 1])
        return {
            "csrf_token": parent_context["csrf_token"],
            "alarms": [(alarm, _edition(alarm)) for alarm in found[:SHOWN]],
            "more": open_alarms.count() - SHOWN if len(found) > SHOWN else 0,
            "may_clear": may_approve(request.user),
        }


def _edition(alarm: Alarm) -> Any:
    return alarm.edition or (alarm.send.edition if alarm.send else None)


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
