import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction

from composer.models import Approval, Edition, Publication, Story

pytestmark = pytest.mark.integration

Make = Callable[..., Any]


def placed(edition: Edition) -> list[tuple[int, str]]:
    return list(edition.placements.values_list("number", "headline"))


def approve_by_hand(edition: Edition) -> Approval:
    return Approval.objects.create(edition=edition, content_hash="0" * 64, timezone="UTC")


def test_numbers_count_on_within_a_publication(make_edition: Make, make_publication: Make) -> None:
    other = make_publication(slug="monthly", title="The Monthly")

    assert [make_edition().number, make_edition().number, make_edition(publication=other).number] == [1, 2, 1]


@pytest.mark.django_db(transaction=True)
def test_editions_saved_at_once_get_different_numbers(make_publication: Make) -> None:
    publication = make_publication()
    start = Barrier(4)

    def save(_: int) -> int | None:
        edition = Edition(publication=Publication.objects.get(pk=publication.pk), title="At once")
        start.wait()
        edition.save()
        connection.close()
        return edition.number

    with ThreadPoolExecutor(4) as pool:
        numbers = list(pool.map(save, range(4)))

    assert sorted(number or 0 for number in numbers) == [1, 2, 3, 4]


def test_saving_projects_the_story_blocks(make_edition: Make, make_story: Make) -> None:
    story = make_story("The mayor resigns")
    edition = make_edition(
        blocks=[
            ("section", {"heading": "Town"}),
            ("story", {"headline": "Typed here", "audience": "vip"}),
            ("divider", {}),
            ("story", {"story": story, "headline": "The mayor resigns"}),
        ]
    )

    assert list(edition.placements.values_list("number", "headline", "audience", "story")) == [
        (1, "Typed here", "vip", None),
        (2, "The mayor resigns", "", story.pk),
    ]


def test_reordering_keeps_block_ids_and_renumbers(make_edition: Make) -> None:
    edition = make_edition("One", "Two", "Three")
    before = dict(edition.placements.values_list("headline", "block_id"))

    edition.content = list(reversed(edition.content.get_prep_value()))
    edition.save_revision()

    assert placed(edition) == [(1, "Three"), (2, "Two"), (3, "One")]
    assert dict(edition.placements.values_list("headline", "block_id")) == before


def test_block_ids_that_are_missing_repeated_or_no_uuid_are_replaced_once(make_edition: Make) -> None:
    twice = str(uuid.uuid4())
    edition = make_edition(
        blocks=[
            {"type": "story", "value": {"headline": "One"}, "id": twice},
            {"type": "story", "value": {"headline": "Two"}, "id": twice},
            {"type": "story", "value": {"headline": "Three"}, "id": "not-a-uuid"},
            {"type": "story", "value": {"headline": "Four"}},
        ]
    )
    ids = [child.id for child in edition.content]
    edition.save_revision()

    assert ids[0] == twice
    assert len(set(ids)) == 4
    assert [child.id for child in Edition.objects.get().content] == ids


def test_a_picked_story_is_copied_once_and_then_left_alone(make_edition: Make, make_story: Make) -> None:
    story = make_story("The mayor resigns")
    edition = make_edition(blocks=[("story", {"story": story})])
    story.headline, story.body = "The mayor stays", "<p>Changed.</p>"
    story.save()

    edition.save_revision()

    value = Edition.objects.get().content[0].value
    assert value["headline"] == "The mayor resigns"
    assert "begins with a map" in value["body"].source


def test_what_an_editor_wrote_into_a_story_block_is_not_overwritten(make_edition: Make, make_story: Make) -> None:
    edition = make_edition(blocks=[("story", {"story": make_story(), "headline": "My own words"})])

    assert edition.content[0].value["headline"] == "My own words"
    assert edition.content[0].value["lede"] == ""


def test_deleting_a_story_leaves_the_edition_and_its_placement(make_edition: Make) -> None:
    edition = make_edition("One")

    Story.objects.all().delete()

    assert edition.placements.get().story is None
    assert Edition.objects.get().content[0].value["headline"] == "One"


def test_an_edit_voids_a_standing_approval(make_edition: Make) -> None:
    edition = make_edition()
    approval = approve_by_hand(edition)

    edition.title = "Stone and water"
    edition.save_revision()

    approval.refresh_from_db()
    assert (approval.stands, approval.void_reason) == (False, "edited")
    assert edition.approval is None


def test_saving_without_a_change_leaves_the_approval_standing(make_edition: Make) -> None:
    edition = make_edition()
    approval = approve_by_hand(edition)

    Edition.objects.get().save_revision()

    assert edition.approval == approval


def test_only_one_approval_can_stand(make_edition: Make) -> None:
    edition = make_edition()
    approve_by_hand(edition)

    with pytest.raises(IntegrityError, match="composer_approval_one_standing"), transaction.atomic():
        approve_by_hand(edition)


def test_an_approved_edition_is_locked_for_everybody(make_edition: Make, make_user: Make) -> None:
    edition = make_edition()
    assert edition.get_lock() is None
    approve_by_hand(edition)
    ada = make_user(is_superuser=True, first_name="Ada", last_name="Lovelace")
    Approval.objects.update(approved_by=ada)

    lock = edition.get_lock()

    assert lock.for_user(ada)
    assert "No. 1 was approved" in lock.get_message(ada)
    assert "Ada Lovelace" in lock.get_message(ada)


def test_publishing_is_refused_by_model_revision_and_database(make_edition: Make, make_user: Make) -> None:
    edition = make_edition()

    with pytest.raises(PermissionDenied, match="approved, not published"):
        edition.publish(edition.latest_revision)
    with pytest.raises(PermissionDenied):
        edition.latest_revision.publish(user=make_user(is_superuser=True), skip_permission_checks=True)
    with pytest.raises(PermissionDenied):
        edition.unpublish()
    with pytest.raises(IntegrityError, match="composer_edition_never_live"), transaction.atomic():
        Edition.objects.update(live=True)


def test_an_old_revision_brings_back_words_but_not_the_place(make_edition: Make, make_publication: Make) -> None:
    edition = make_edition(title="First")
    old = edition.latest_revision
    other = make_publication(slug="monthly", title="The Monthly")
    Edition.objects.update(publication=other, number=7)
    edition = Edition.objects.get()

    brought_back = edition.with_content_json(old.content)

    assert (brought_back.title, brought_back.publication, brought_back.number) == ("First", other, 7)


def test_the_row_says_what_the_latest_revision_says(make_edition: Make) -> None:
    edition = make_edition()
    edition.title = "Second thoughts"
    revision = edition.save_revision()

    assert Edition.objects.get().title == "Second thoughts" == revision.content["title"]
    assert edition.get_latest_revision_as_object() is edition
