"""What a new edition has from last week says so until it is changed, or until somebody says that it stays."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from composer.history import edition_before
from composer.models import Edition, Publication
from composer.next_edition import follow_on
from composer.standing_matter import untouched
from tasks.approvals.approving import check_edition
from tests.web.desk.conftest import Make

pytestmark = pytest.mark.integration


@pytest.fixture
def last(edition: Edition) -> Edition:
    edition.introduction = "<p>Twelve rivers, and a bridge.</p>"
    edition.closing_heading, edition.closing = "Before you go", "<p>Until next week.</p>"
    edition.call_to_action_label, edition.call_to_action_url = "Write to us", "https://example.com/"
    edition.save_revision()
    return edition


@pytest.fixture
def new(last: Edition, publication: Publication) -> Edition:
    made = follow_on(Edition(title="The next one"), publication)
    made.content = last.content
    made.save()
    made.save_revision()
    return made


def marked(desk: Client, edition: Edition) -> set[str]:
    page = desk.get(reverse("wagtailsnippets_composer_edition:edit", args=[edition.pk])).content.decode()
    return {part for part in ("preheader", "introduction", "closing", "call to action") if f'standing="{part}"' in page}


def warned(edition: Edition) -> set[str]:
    return {problem.where for problem in check_edition(edition) if problem.code == "frame.carried_over"}


def test_what_was_carried_over_is_marked_and_warned_of(desk: Client, new: Edition) -> None:
    assert marked(desk, new) == warned(new) == {"introduction", "closing", "call to action"}


def test_the_page_of_an_edition_not_saved_yet_marks_it_too(desk: Client, last: Edition) -> None:
    page = desk.get(reverse("wagtailsnippets_composer_edition:add")).content.decode()

    assert page.count("From last week") == 3


def test_a_part_that_is_changed_is_not_last_weeks(desk: Client, new: Edition) -> None:
    new.introduction, new.closing_heading = "<p>Three rivers.</p>", "One more thing"
    new.save_revision()

    assert marked(desk, new) == warned(new) == {"call to action"}


def test_what_is_kept_stays_confirmed_and_is_asked_again_next_week(
    desk: Client, new: Edition, form: Make, publication: Publication
) -> None:
    data = form(new, kept="closing,call to action")
    desk.post(
        reverse("wagtailsnippets_composer_edition:edit", args=[new.pk]), data, headers={"accept": "application/json"}
    )
    new.refresh_from_db()

    assert marked(desk, new) == warned(new) == {"introduction"}
    after = follow_on(Edition(title="After that"), publication)
    assert untouched(after, edition_before(after)) == {"introduction", "closing", "call to action"}


def test_the_editors_own_marks_in_rich_text_change_nothing(new: Edition, last: Edition) -> None:
    new.introduction = '<p data-block-key="x1y2z">Twelve rivers, and a bridge.</p>'

    assert "introduction" in untouched(new, last)


def test_the_first_edition_and_empty_parts_are_nobodys(edition: Edition, publication: Publication) -> None:
    assert untouched(edition, edition_before(edition)) == frozenset()
    made = follow_on(Edition(title="The next one"), publication)
    assert untouched(made, edition) == frozenset()


def test_an_old_edition_is_compared_with_the_one_before_it(desk: Client, last: Edition, new: Edition, ada: Any) -> None:
    assert marked(desk, last) == set()
