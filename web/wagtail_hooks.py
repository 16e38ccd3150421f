"""What the newsroom adds to Wagtail's admin."""

from typing import Any

from django.contrib.auth.models import Permission
from django.db.models import QuerySet
from django.utils.html import format_html
from wagtail import hooks
from wagtail.admin.staticfiles import versioned_static
from wagtail.snippets.models import register_snippet

from composer.permissions import APP, APPROVE
from web.desk import (
    action_menu,
    alarms,
    calendar,
    deleting,
    home,
    menu,
    rich_text,
    search,
    story_bulk_actions,
    story_copies,
    story_intake,
    weekly_slot,
    widgets,
)
from web.desk.editions import EDITIONS
from web.desk.publications import PublicationViewSet
from web.desk.sources import SourceViewSet
from web.desk.stories import StoryViewSet

__all__ = [
    "action_menu",
    "alarms",
    "calendar",
    "deleting",
    "home",
    "menu",
    "rich_text",
    "search",
    "story_bulk_actions",
    "story_copies",
    "story_intake",
    "weekly_slot",
    "widgets",
]

register_snippet(EDITIONS)
register_snippet(StoryViewSet)
register_snippet(SourceViewSet)


@hooks.register("register_admin_viewset")
def publications() -> Any:
    return PublicationViewSet()


@hooks.register("register_permissions")
def approving() -> "QuerySet[Permission]":
    return Permission.objects.filter(content_type__app_label=APP, codename=APPROVE)


@hooks.register("insert_global_admin_css")
def our_css() -> str:
    return format_html('<link rel="stylesheet" href="{}">', versioned_static("web/desk/desk.css"))


@hooks.register("insert_global_admin_js")
def our_widgets() -> str:
    return format_html('<script src="{}" defer></script>', versioned_static("web/desk/widgets.js"))
