"""What the newsroom adds to Wagtail's admin."""

from typing import Any

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from wagtail import hooks
from wagtail.admin.staticfiles import versioned_static
from wagtail.images.models import Image
from wagtail.permissions import register_permission_policy
from wagtail.snippets.models import register_snippet

from composer.models import Edition, Publication, Source, Story
from composer.permission_policies import (
    EDITION,
    PUBLICATION,
    PUBLICATION_EVERYWHERE,
    SOURCE,
    STORY,
    ImagePolicy,
    PublicationPolicy,
)
from web.desk import (
    action_menu,
    alarms,
    bulk_actions,
    calendar,
    database_question,
    deleting,
    home,
    menu,
    rich_text,
    search,
    story_archiving,
    story_bulk_actions,
    story_copies,
    story_intake,
    sunset,
    team,
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
    "bulk_actions",
    "calendar",
    "database_question",
    "deleting",
    "home",
    "menu",
    "rich_text",
    "search",
    "story_archiving",
    "story_bulk_actions",
    "story_copies",
    "story_intake",
    "sunset",
    "team",
    "weekly_slot",
    "widgets",
]

# Before any view asks for them.
register_permission_policy(Story, PublicationPolicy(Story, STORY))
register_permission_policy(Edition, PublicationPolicy(Edition, EDITION))
register_permission_policy(Source, PublicationPolicy(Source, SOURCE))
register_permission_policy(
    Publication, PublicationPolicy(Publication, PUBLICATION, everywhere=PUBLICATION_EVERYWHERE, path="pk")
)
# Before the one that Wagtail registers for images, whichever comes first.
register_permission_policy(Image, ImagePolicy(Image, owner_field_name="uploaded_by_user"), exact_class=True)

register_snippet(EDITIONS)
register_snippet(StoryViewSet)
register_snippet(SourceViewSet)


@hooks.register("register_admin_viewset")
def publications() -> Any:
    return PublicationViewSet()


@hooks.register("register_account_menu_item")
def security(_request: Any) -> dict[str, str]:
    return {
        "url": reverse("mfa_index"),
        "label": "Security",
        "help_text": "Password, authenticator app, passkeys, recovery codes, and where you are logged in.",
    }


@hooks.register("insert_global_admin_css")
def our_css() -> str:
    return format_html('<link rel="stylesheet" href="{}">', versioned_static("web/desk/desk.css"))


@hooks.register("insert_global_admin_js")
def our_scripts() -> str:
    scripts = [(versioned_static(f"web/desk/{name}.js"),) for name in ("widgets", "names", "own_changes")]
    return format_html_join("\n", '<script src="{}" defer></script>', scripts)
