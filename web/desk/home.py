"""The desk's first page: the editions at work, instead of a website's pages."""

from typing import Any

from wagtail import hooks
from wagtail.admin.ui.components import Component

from composer.models import Edition
from web.desk.alarms import AlarmsPanel
from web.desk.status import status_of, with_status

SHOWN = 8


class EditionsPanel(Component):
    name = "editions"
    template_name = "web/desk/home_panel.html"
    order = 100

    def get_context_data(self, parent_context: dict[str, Any]) -> dict[str, Any]:
        editions = with_status(Edition.objects.select_related("publication", "latest_revision__user"))[:SHOWN]
        return {"perms": parent_context["perms"], "editions": [(edition, status_of(edition)) for edition in editions]}


@hooks.register("construct_homepage_panels")
def our_panels(_request: Any, panels: list[Any]) -> None:
    panels[:] = [AlarmsPanel(), EditionsPanel()]


@hooks.register("construct_homepage_summary_items")
def no_summary(_request: Any, items: list[Any]) -> None:
    items[:] = []
