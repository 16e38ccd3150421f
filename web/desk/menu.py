"""What the desk's menus show, and what an editor does not need."""

from typing import Any

from django.urls import reverse
from wagtail import hooks
from wagtail.admin.menu import MenuItem

#: Wagtail is a system for websites; these are its tools for pages.
HIDDEN = frozenset({"explorer", "documents", "help", "snippets"})
HIDDEN_SETTINGS = frozenset({"workflows", "workflow-tasks", "sites", "redirects", "collections", "users", "groups"})
HIDDEN_REPORTS = frozenset({"locked-pages", "workflows", "workflow-tasks", "aging-pages", "page-types-usage"})


@hooks.register("construct_main_menu")
def main_menu(_request: Any, menu_items: list[Any]) -> None:
    menu_items[:] = [_named(item) for item in menu_items if item.name not in HIDDEN]


def _named(item: Any) -> Any:
    """“Reports” would be looked at for what came of an edition. All that Wagtail's have left is one page: it is called by its name."""
    if item.name != "reports":
        return item
    page = reverse("wagtailadmin_reports:site_history")
    return MenuItem("Site history", page, name="site-history", icon_name="history", order=item.order)


@hooks.register("construct_settings_menu")
def settings_menu(_request: Any, menu_items: list[Any]) -> None:
    menu_items[:] = [item for item in menu_items if item.name not in HIDDEN_SETTINGS]


@hooks.register("construct_reports_menu")
def reports_menu(_request: Any, menu_items: list[Any]) -> None:
    menu_items[:] = [item for item in menu_items if item.name not in HIDDEN_REPORTS]
