import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from composer.approval import approve
from composer.models import Edition, Publication, Story

pytestmark = pytest.mark.integration

Make = Callable[..., Any]


def edit_url(edition: Edition) -> str:
    return reverse("wagtailsnippets_composer_edition:edit", args=[edition.pk])


def preview_url(edition: Edition) -> str:
    return reverse("wagtailsnippets_composer_edition:preview_on_edit", args=[edition.pk])


def preview(desk: Client, edition: Edition, data: dict[str, Any], mode: str = "html") -> str:
    posted = desk.post(preview_url(edition), data)
    assert posted.json() == {"is_valid": True, "is_available": True}
    return desk.get(preview_url(edition), {"mode": mode, "in_preview_panel": "true"}).content.decode()


def test_the_form_shows_the_edition_and_its_acts(desk: Client, edition: Edition) -> None:
    page = desk.get(edit_url(edition)).content.decode()

    assert "Water and stone" in page
    assert 'name="action-approve"' in page
    assert re.search(r'No\. 1 · <span class="desk-state desk-state--draft">.*</svg>Draft</span>', page)


def test_saving_writes_row_revision_and_placements(desk: Client, edition: Edition, form: Make) -> None:
    blocks = [(child.block_type, child.value, child.id) for child in reversed(list(edition.content))]

    response = desk.post(edit_url(edition), form(edition, blocks=blocks, title="Stone and water"))

    assert response.status_code == 302
    edition.refresh_from_db()
    assert edition.title == "Stone and water" == edition.latest_revision.content["title"]
    assert list(edition.placements.values_list("number", "headline")) == [
        (1, "The library reopens"),
        (2, "A bridge is closed"),
        (3, "Rivers rise in the north"),
    ]


def test_autosave_writes_and_overwrites_its_own_revision(desk: Client, edition: Edition, form: Make) -> None:
    first = desk.post(
        edit_url(edition), form(edition, title="First thought"), headers={"accept": "application/json"}
    ).json()
    again = form(edition, title="Second thought", overwrite_revision_id=first["revision_id"])
    second = desk.post(edit_url(edition), again, headers={"accept": "application/json"}).json()

    assert first["success"]
    assert second["revision_id"] == first["revision_id"]
    edition.refresh_from_db()
    assert edition.title == "Second thought"


def test_no_url_however_malformed_stops_autosave_or_preview(desk: Client, edition: Edition, form: Make) -> None:
    urls = ["not a url", "http://", "javascript:alert(1)", "https://exa mple.com/%zz", "x" * 1999]
    blocks: list[Any] = []
    for url in urls:
        blocks += [
            ("story", {"headline": "A story", "lede": "With text.", "source_url": url}, ""),
            ("button", {"label": "Go", "url": url}, ""),
            ("sponsor", {"name": "Somebody", "url": url}, ""),
        ]
    data = form(edition, blocks=blocks, call_to_action_label="Read on", call_to_action_url="//")

    assert desk.post(edit_url(edition), data, headers={"accept": "application/json"}).json()["success"]
    assert "A story" in preview(desk, edition, data)


def test_an_unfinished_draft_is_kept(desk: Client, edition: Edition, form: Make) -> None:
    blocks: list[Any] = [
        ("story", {}, ""),
        ("section", {}, ""),
        ("button", {}, ""),
        ("note", {}, ""),
        ("divider", {}, ""),
    ]

    answer = desk.post(edit_url(edition), form(edition, blocks=blocks), headers={"accept": "application/json"}).json()

    assert answer["success"]
    assert edition.placements.get().headline == ""


def test_the_preview_shows_what_is_on_the_screen_not_what_is_saved(desk: Client, edition: Edition, form: Make) -> None:
    blocks = [(child.block_type, child.value, child.id) for child in reversed(list(edition.content))]

    mail = preview(desk, edition, form(edition, blocks=blocks))
    text = preview(desk, edition, form(edition, blocks=blocks), "text")

    for shown in (mail, text):
        assert shown.index("The library reopens") < shown.index("Rivers rise in the north")
    assert "<pre" in text
    assert "-nd" not in mail
    edition.refresh_from_db()
    assert edition.placements.get(number=1).headline == "Rivers rise in the north"


def test_the_preview_speaks_the_publications_language_and_keeps_its_clock(
    desk: Client, edition: Edition, form: Make, publication: Publication
) -> None:
    publication.timezone, publication.language = "Pacific/Kiritimati", "de"
    publication.save()
    data = form(edition, slot="2026-02-01 02:00")

    mail = preview(desk, edition, data)

    assert '<html lang="de"' in mail
    assert "1. Februar 2026" in mail


def test_variants_have_previews_of_their_own(desk: Client, edition: Edition, form: Make) -> None:
    blocks: list[Any] = [
        ("story", {"headline": "For everybody", "lede": "Text."}, ""),
        ("story", {"headline": "For the few", "lede": "Text.", "audience": "vip"}, ""),
    ]
    data = form(edition, blocks=blocks)

    assert "For the few" not in preview(desk, edition, data, "variant-0-html")
    assert "For the few" in preview(desk, edition, data, "variant-1-html")
    assert "For the few" in preview(desk, edition, data, "variant-1-dark")
    text = preview(desk, edition, data, "variant-1-text")
    assert "For the few" in text
    assert "<pre" in text
    edition.content.append(("story", {"headline": "For the few", "lede": "Text.", "audience": "vip"}))
    assert dict(edition.preview_modes)["variant-1-dark"] == "For readers in vip, dark"


def test_light_and_dark_are_shown_whatever_the_browser_prefers(desk: Client, edition: Edition, form: Make) -> None:
    light, dark = (preview(desk, edition, form(edition), mode) for mode in ("html", "dark"))

    for page in (light, dark):
        assert "prefers-color-scheme" not in page
    assert "@media not all{" in light
    assert "color-scheme:only light" in light
    assert "@media all{" in dark
    assert "color-scheme:only dark" in dark


def test_a_story_picked_in_the_open_form_is_copied_for_preview_and_save(
    desk: Client, edition: Edition, form: Make, stories: list[Story]
) -> None:
    data = form(edition, blocks=[("story", {"story": stories[1]}, "")])

    assert "A bridge is closed, and here is why" in preview(desk, edition, data)
    desk.post(edit_url(edition), data)
    assert Edition.objects.get().content[0].value["headline"] == "A bridge is closed"


def test_the_script_gets_the_copy_in_the_forms_own_words(desk: Client, stories: list[Story]) -> None:
    url = reverse("wagtailsnippets_composer_edition:story_state", args=[stories[0].pk])

    state = desk.get(url).json()

    assert state["headline"] == "Rivers rise in the north"
    assert json.loads(state["body"])["blocks"][0]["text"].startswith("The long account")


def test_a_new_edition_takes_over_last_weeks_frame(desk: Client, edition: Edition) -> None:
    Edition.objects.update(closing="<p>Until next week.</p>", call_to_action_label="Write to us")

    page = desk.get(reverse("wagtailsnippets_composer_edition:add")).content.decode()

    assert "Until next week." in page
    assert "Write to us" in page


def test_creating_an_edition_gives_it_the_next_number(
    desk: Client, edition: Edition, form: Make, publication: Publication
) -> None:
    data = form(publication=str(publication.pk), title="The next one")

    answer = desk.post(
        reverse("wagtailsnippets_composer_edition:add"), data, headers={"accept": "application/json"}
    ).json()

    made = Edition.objects.get(pk=answer["pk"])
    assert (made.number, made.live, made.latest_revision_id is not None) == (2, False, True)


def test_the_publication_of_an_edition_cannot_be_changed(desk: Client, edition: Edition, form: Make) -> None:
    other = Publication.objects.create(
        slug="other", title="Other", from_name="O", from_email="o@example.com", postal_address="Somewhere"
    )

    desk.post(edit_url(edition), form(edition, publication=str(other.pk)))

    edition.refresh_from_db()
    assert edition.publication.slug == "weekly"


def test_an_old_version_can_be_brought_back(desk: Client, edition: Edition, form: Make) -> None:
    old = edition.latest_revision
    desk.post(edit_url(edition), form(edition, title="Worse"))
    url = reverse("wagtailsnippets_composer_edition:revisions_revert", args=[edition.pk, old.pk])

    assert "Bring this version back" in desk.get(url).content.decode()
    edition.refresh_from_db()
    desk.post(url, {**form(edition), "title": "Water and stone"})

    edition.refresh_from_db()
    assert (edition.title, edition.number) == ("Water and stone", 1)


def test_approved_editions_refuse_save_autosave_and_revert(desk: Client, edition: Edition, form: Make) -> None:
    first = edition.latest_revision
    approval = approve(edition, by=None, audience_rules={})
    revert = reverse("wagtailsnippets_composer_edition:revisions_revert", args=[edition.pk, first.pk])

    answer = desk.post(edit_url(edition), form(edition, title="Sneaky"), headers={"accept": "application/json"})
    desk.post(edit_url(edition), form(edition, title="Sneaky"))
    desk.post(revert, form(edition, title="Sneaky"))

    assert answer.json()["error_code"] == "locked"
    edition.refresh_from_db()
    assert edition.title == "Water and stone"
    assert edition.approval == approval
