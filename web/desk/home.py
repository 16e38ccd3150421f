"""The desk's first page: this week's edition, what needs somebody, and how it goes, instead of a website's pages."""

from typing import Any

from wagtail import hooks
from wagtail.admin.ui.components import Component

from composer.models import Edition
from composer.permissions import Right, may_anywhere, within
from web.desk import figures, needs_you
from web.desk.status import status_of, with_status
from web.desk.this_week import this_week

SHOWN = 8


class ThisWeekPanel(Component):
    name = "this_week"
    template_name = "web/desk/home_this_week.html"
    order = 10

    def get_context_data(self, parent_context: dict[str, Any]) -> dict[str, Any]:
        return {"perms": parent_context["perms"], "weeks": this_week(parent_context["request"].user)}


class NeedsYouPanel(Component):
    name = "needs_you"
    template_name = "web/desk/home_needs_you.html"
    order = 20

    def get_context_data(self, parent_context: dict[str, Any]) -> dict[str, Any]:
        found, more = needs_you.needs(parent_context["request"].user)
        return {"csrf_token": parent_context["csrf_token"], "needs": found, "more": more}


class FiguresPanel(Component):
    name = "figures"
    template_name = "web/desk/home_figures.html"
    order = 30

    def get_context_data(self, parent_context: dict[str, Any]) -> dict[str, Any]:
        user = parent_context["request"].user
        return {
            "perms": parent_context["perms"],
            "inbox": figures.inbox(user),
            "next_sends": figures.next_sends(user),
            "last_sends": figures.last_sends(user) if may_anywhere(user, Right.RESULTS) else [],
            "readers": figures.readers(user) if may_anywhere(user, Right.READERS) else None,
        }


class EditionsPanel(Component):
    name = "editions"
    template_name = "web/desk/home_panel.html"
    order = 100

    def get_context_data(self, parent_context: dict[str, Any]) -> dict[str, Any]:
        visible = within(Edition.objects.all(), parent_context["request"].user, Right.SEE)
        editions = with_status(visible.select_related("publication", "latest_revision__user"))[:SHOWN]
        return {"perms": parent_context["perms"], "editions": [(edition, status_of(edition)) for edition in editions]}


@hooks.register("construct_homepage_panels")
def our_panels(_request: Any, panels: list[Any]) -> None:
    panels[:] = [ThisWeekPanel(), NeedsYouPanel(), FiguresPanel(), EditionsPanel()]


@hooks.register("construct_homepage_summary_items")
def no_summary(_request: Any, items: list[Any]) -> None:
    items[:] = []
