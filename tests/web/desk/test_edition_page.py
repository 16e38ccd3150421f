"""The edition's page: what keeps in step with each automatic save."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from composer.checks import Problem
from composer.models import Edition, Publication
from tests.web.desk.test_editing_editions import Make, edit_url
from web.desk.check_places import Place, place_of

pytestmark = pytest.mark.integration


def saved(desk: Client, edition: Edition, data: dict[str, Any]) -> str:
    """What an automatic save puts in place on the page."""
    answer = desk.post(edit_url(edition), data, headers={"accept": "application/json"}).json()
    assert answer["success"], answer
    return str(answer["html"])


def test_the_title_stands_once(desk: Client, edition: Edition) -> None:
    page = desk.get(edit_url(edition)).content.decode()

    assert page.count('id="header-title"') == 1
    assert '<h2 class="w-sr-only" id="header-title">' in page


def test_an_automatic_save_brings_badge_checks_and_sizes(desk: Client, edition: Edition, form: Make) -> None:
    blocks: list[Any] = [("story", {"headline": "", "lede": "Text."}, str(edition.content[0].id))]

    html = saved(desk, edition, form(edition, blocks=blocks))

    assert "[data-side-panel-toggle='checks'] [data-side-panel-toggle-counter]" in html
    mistakes = html.partition("To be mended before approval")[2].partition("Worth a look")[0].count("<li>")
    assert mistakes >= 1
    assert f'w-bg-critical-200">{mistakes}</div>' in html
    assert f'data-jump-field="headline" data-jump-block="{edition.content[0].id}"' in html
    assert '"clippedAt": 102000' in html
    assert f'"{edition.content[0].id}": ' in html
    assert "[data-subjects]" in html
    assert "action-approve" not in html, "buttons in use are not replaced under the hand"


def test_the_first_automatic_save_brings_all_buttons_and_the_test(
    desk: Client, edition: Edition, form: Make, publication: Publication
) -> None:
    add = reverse("wagtailsnippets_composer_edition:add")
    assert "as soon as the edition is saved" in desk.get(add).content.decode()

    data = form(publication=str(publication.pk))
    answer = desk.post(add, data, headers={"accept": "application/json"}).json()
    html = desk.get(answer["hydrate_url"]).content.decode()

    assert 'name="action-approve"' in html
    assert 'name="action-schedule"' in html
    assert 'id="desk-test-addresses"' in html


def test_a_problem_leads_to_the_field_the_block_or_the_publication(edition: Edition) -> None:
    def place(code: str, where: str) -> Place:
        return place_of(Problem(level="error", code=code, message="", where=where), edition)

    second = str(edition.content[1].id)
    assert place("subject.long", "subject") == Place(href="#id_subject", field="subject")
    assert place("cta.no_link", "call to action").field == "call_to_action_url"
    assert place("image.no_alt", "story 2") == Place(href=f"#block-{second}-section", field="alt", block=second)
    assert place("audience.unknown", "block 2, block 3").block == second
    assert place("footer.no_address", "footer").href == f"/desk/publications/edit/{edition.publication_id}/"
    assert place("stories.too_few", "").field == "content"
    assert place("story.no_text", "story 9").field == "content"
