"""Every page of the desk by its name: what is looked at, for people and for axe."""

from collections.abc import Callable, Mapping
from typing import Any

from django.urls import reverse

from newsdesk.core.paths import samples_dir
from tests.browser.desk_world import DeskWorld

#: Done on a page after it was opened.
Act = Callable[[Any], None]

#: Its “2)” could be a headline, or a line of the first story.
DOUBTFUL = "Harbour Weekly\n\nWelcome back.\n\n1. The ferry runs again\n\nAfter a year of repairs.\n\n2) The quay is closed\n\nUntil May.\n"


def addresses(world: DeskWorld) -> Mapping[str, str]:
    """Name and path, as an administrator sees them."""
    editions, stories, sources = (f"wagtailsnippets_composer_{name}" for name in ("edition", "story", "source"))
    draft, scheduled = world.editions["draft"].pk, world.editions["scheduled"].pk
    send = [scheduled, world.sends["scheduled"].pk]
    return {
        "home": reverse("wagtailadmin_home"),
        "paste": reverse("desk_add_stories"),
        "stories": reverse(f"{stories}:list"),
        "stories-none": reverse(f"{stories}:list") + "?q=nothing-like-it",
        "story-add": reverse(f"{stories}:add"),
        "story-edit": reverse(f"{stories}:edit", args=[world.story.pk]),
        "story-history": reverse(f"{stories}:history", args=[world.story.pk]),
        "story-delete": reverse(f"{stories}:delete", args=[world.story.pk]),
        "sources": reverse(f"{sources}:list"),
        "source-edit": reverse(f"{sources}:edit", args=[world.source.pk]),
        "images": reverse("wagtailimages:index"),
        "image-add": reverse("wagtailimages:add_multiple"),
        "image-edit": reverse("wagtailimages:edit", args=[world.image.pk]),
        "editions": reverse(f"{editions}:list"),
        "edition-add": reverse(f"{editions}:add"),
        **{
            f"edition-{status}": reverse(f"{editions}:edit", args=[edition.pk])
            for status, edition in world.editions.items()
        },
        "edition-history": reverse(f"{editions}:history", args=[draft]),
        "schedule": reverse(f"{editions}:schedule", args=[draft]),
        "send-cancel": reverse(f"{editions}:send_action", args=[*send, "cancel"]),
        "publications": reverse("publication:index"),
        "publication-edit": reverse("publication:edit", args=[world.publication.pk]),
        "publication-add": reverse("publication:add"),
        "publication-history": reverse("publication:history", args=[world.publication.pk]),
        "publication-sunset": reverse("desk_sunset", args=[world.publication.pk]),
        "database-question": reverse("desk_database_question"),
        "calendar": reverse("desk_calendar"),
        "search": reverse("desk_search") + "?q=reader",
        "search-none": reverse("desk_search") + "?q=nothing-like-it",
        "team": reverse("desk_team"),
        "team-add": reverse("desk_team_add"),
        "team-person": reverse("desk_team_person", args=[world.person.pk]),
        "account": reverse("wagtailadmin_account"),
        "security": reverse("mfa_index"),
        "security-password": reverse("account_change_password"),
        "security-sessions": reverse("usersessions_list"),
        "site-history": reverse("wagtailadmin_reports:site_history"),
    }


def _read(page: Any) -> None:
    page.get_by_label("The digest").fill((samples_dir() / "city-week.txt").read_text())
    page.get_by_role("button", name="Read it").click()
    page.get_by_role("button", name="Make the edition").wait_for()


def _doubts(page: Any) -> None:
    page.get_by_label("The digest").fill(DOUBTFUL)
    page.get_by_role("button", name="Read it").click()
    page.locator(".desk-doubts, .help-critical").first.wait_for()


def _confirm(page: Any) -> None:
    page.get_by_role("radio", name="At a time", exact=True).check()
    page.get_by_label("Day and time").fill("2099-12-01T09:00")
    page.get_by_role("button", name="Schedule", exact=True).click()
    page.get_by_role("button", name="Yes, send it").wait_for()


def _panel(name: str) -> Act:
    def open_it(page: Any) -> None:
        page.locator(f"[data-side-panel-toggle={name}]").first.click()
        page.locator(f"[data-side-panel={name}]").wait_for()

    return open_it


def _outside_the_month(page: Any) -> None:
    """As on the days of a month's first and last week, whatever today is."""
    page.evaluate("document.querySelectorAll('.desk-day').forEach(day => day.classList.add('desk-day--outside'))")


#: Name, the page where it starts, and what is done there.
ACTS: Mapping[str, tuple[str, Act]] = {
    "paste-report": ("paste", _read),
    "paste-doubts": ("paste", _doubts),
    "schedule-confirm": ("schedule", _confirm),
    "edition-checks": ("edition-draft", _panel("checks")),
    "calendar-outside": ("calendar", _outside_the_month),
}
#: Before anybody is logged in.
ENTRANCES: Mapping[str, str] = {"login": "/desk/login/", "password-reset": "/desk/password_reset/"}
