import re
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse

from composer.approval import approve
from composer.models import Edition, Publication, Story
from tasks.models import Send

pytestmark = pytest.mark.integration


def test_the_menu_holds_what_an_editor_needs(desk: Client, edition: Edition) -> None:
    from wagtail.admin.menu import admin_menu

    request = desk.get(reverse("wagtailadmin_home")).wsgi_request
    items = sorted(admin_menu.menu_items_for_request(request), key=lambda item: item.order)
    names = [item.name for item in items]

    assert names[:7] == ["editions", "calendar", "add-stories", "stories", "sources", "publications", "images"]
    assert not {"explorer", "documents", "snippets", "help", "reports"} & set(names)
    assert "Site history" in [item.label for item in items]


def test_the_first_page_lists_the_editions_at_work(desk: Client, edition: Edition) -> None:
    page = desk.get(reverse("wagtailadmin_home")).content.decode()

    assert "Water and stone (No. 1)" in page
    assert "Search all pages" not in page


@pytest.mark.parametrize("status", ["draft", "approved", "sending"])
def test_the_list_says_where_an_edition_stands(desk: Client, edition: Edition, status: str) -> None:
    if status != "draft":
        approval = approve(edition, by=None, audience_rules={})
        if status != "approved":
            Send.objects.create(approval=approval, edition=edition, scheduled_at=approval.approved_at, status=status)

    response = desk.get(reverse("wagtailsnippets_composer_edition:list"))

    state = f"</svg>{status.capitalize()}</span>"
    assert state in response.content.decode()
    assert f"desk-state--{status}" in response.content.decode()


def test_states_differ_by_their_shapes() -> None:
    states = ("draft", "approved", "scheduled", "sending", "paused", "sent", "cancelled")
    drawn = {
        re.search("<svg.*</svg>", render_to_string("web/desk/state.html", {"status": state}))[0] for state in states
    }  # type: ignore[index]

    assert len(drawn) == len(states)


@pytest.mark.parametrize(
    ("list_", "label", "leads_to"),
    [
        ("wagtailsnippets_composer_edition:list", "Paste a digest", "desk_add_stories"),
        ("wagtailsnippets_composer_story:list", "Paste a digest", "desk_add_stories"),
        ("wagtailsnippets_composer_source:list", "Add source", "wagtailsnippets_composer_source:add"),
        ("publication:index", "Add publication", "publication:add"),
    ],
)
def test_an_empty_list_says_what_to_do(desk: Client, list_: str, label: str, leads_to: str) -> None:
    page = desk.get(reverse(list_)).content.decode()

    assert re.search(rf'<a class="button" href="{reverse(leads_to)}">{label}</a>', page)


def test_a_search_without_a_match_leads_back(desk: Client, stories: list[Story]) -> None:
    url = reverse("wagtailsnippets_composer_story:list")
    page = desk.get(url, {"q": "nothing-like-it"}).content.decode()

    assert f'Nothing here matches. <a class="desk-jump" href="{url}">Show all stories</a>' in page


def test_lists_cost_the_same_however_long(
    desk: Client, edition: Edition, publication: Publication, django_assert_max_num_queries: Any
) -> None:
    url = reverse("wagtailsnippets_composer_edition:list")
    desk.get(url)
    for number in range(2, 12):
        Edition.objects.create(publication=publication, number=number, title=f"Edition {number}")

    with django_assert_max_num_queries(25):
        desk.get(url)


def test_stories_are_found_by_publication_origin_and_words(
    desk: Client, edition: Edition, stories: list[Story]
) -> None:
    url = reverse("wagtailsnippets_composer_story:list")
    Story.objects.filter(pk=stories[0].pk).update(origin="digest")

    everything = desk.get(url).content.decode()
    digests = desk.get(url, {"origin": "digest"}).content.decode()
    page = desk.get(url, {"q": "library"}).content.decode()

    assert "No. 1" in everything
    assert "Rivers rise" in digests
    assert "A bridge is closed" not in digests
    assert "The library reopens" in page
    assert "Rivers rise" not in page


def test_the_story_chooser_says_where_a_story_ran(desk: Client, edition: Edition) -> None:
    page = desk.get(reverse("wagtailsnippetchoosers_composer_story:choose")).json()["html"]

    assert "Rivers rise in the north" in page
    assert "No. 1" in page


def test_a_story_is_autosaved_and_previewed(desk: Client, stories: list[Story]) -> None:
    story = stories[0]
    url = reverse("wagtailsnippets_composer_story:edit", args=[story.pk])
    page = desk.get(url)
    data = {**page.context["form"].initial, "headline": "Rivers fall again", "body": "null", "image": "", "alt": ""}
    data = {name: "" if value is None else value for name, value in data.items()}

    answer = desk.post(url, data, headers={"accept": "application/json"}).json()
    preview = reverse("wagtailsnippets_composer_story:preview_on_edit", args=[story.pk])
    desk.post(preview, {**data, "lede": "Not saved yet."})
    shown = desk.get(preview, {"mode": "html"}).content.decode()

    assert answer["success"]
    story.refresh_from_db()
    assert story.headline == "Rivers fall again"
    assert "Rivers fall again" in shown
    assert "Not saved yet." in shown


def test_publications_are_made_and_checked_at_the_desk(desk: Client) -> None:
    data = {
        "title": "The Monthly",
        "slug": "monthly",
        "tagline": "",
        "from_name": "The Monthly",
        "from_email": "monthly@example.com",
        "reply_to": "",
        "postal_address": "3 Side Street, Singapore",
        "website": "",
        "language": "en",
        "direction": "ltr",
        "theme": "digest",
        "cadence_weekday": "",
        "cadence_time": "",
        "timezone": "Asia/Singapore",
        "minimum_stories": "1",
    }
    url = reverse("publication:add")

    assert desk.post(url, {**data, "slug": "desk", "timezone": "Nowhere"}).context["form"].errors.keys() == {
        "slug",
        "timezone",
    }
    assert desk.post(url, data).status_code == 302
    assert Publication.objects.get().sender == "The Monthly <monthly@example.com>"


def test_the_link_dialog_begins_with_a_web_address(desk: Client, edition: Edition) -> None:
    from wagtail.rich_text import features

    link = features.get_editor_plugin("draftail", "link")

    assert str(link.data["chooserUrls"]["pageChooser"]) == reverse("wagtailadmin_choose_page_external_link")
