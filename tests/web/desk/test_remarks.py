"""Remarks beside blocks: added, counted, resolved; for whoever may edit editions there."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from composer.models import Edition, Publication, Remark
from tests.web.desk.conftest import Make

pytestmark = pytest.mark.integration


def url(edition: Edition, *remark: int) -> str:
    name = "resolve_remark" if remark else "remarks"
    return reverse(f"wagtailsnippets_composer_edition:{name}", args=[edition.pk, *remark])


def add(desk: Client, edition: Edition, text: str, block: int = 0) -> Any:
    return desk.post(url(edition), {"block_id": edition.content[block].id, "text": text})


def status_panel(desk: Client, edition: Edition) -> str:
    return desk.get(reverse("wagtailsnippets_composer_edition:edit", args=[edition.pk])).content.decode()


def test_a_remark_is_added_counted_and_resolved(desk: Client, ada: Any, edition: Edition) -> None:
    answer = add(desk, edition, "Is the bridge still closed?", block=1).json()

    (remark,) = answer["remarks"]
    assert (remark["text"], remark["author"]) == ("Is the bridge still closed?", "Ada Lovelace")
    assert remark["block"] == edition.content[1].id
    assert remark["at"].endswith("Asia/Singapore")
    assert "1 open, beside the stories" in status_panel(desk, edition)

    assert desk.post(url(edition, remark["id"])).json() == {"remarks": []}
    kept = Remark.objects.get()
    assert (kept.resolved_by, kept.resolved_at is not None) == (ada, True)
    assert "None open" in status_panel(desk, edition)


def test_what_is_no_remark_is_refused_in_words(desk: Client, edition: Edition) -> None:
    for text, block in ((" ", edition.content[0].id), ("x" * 1001, edition.content[0].id), ("Why?", "nothing")):
        refused = desk.post(url(edition), {"block_id": block, "text": text})
        assert refused.status_code == 400
        assert refused.json()["error"]
    assert not Remark.objects.exists()


def test_a_remark_changes_nothing_that_readers_see(desk: Client, edition: Edition) -> None:
    before = edition.latest_revision_id
    add(desk, edition, "Shorter, please.")

    edition.refresh_from_db()
    assert edition.latest_revision_id == before


@pytest.mark.parametrize(("role", "status"), [("writer", 200), ("analyst", 403)])
def test_who_may_edit_the_edition_may_remark(
    client: Client, make_user: Make, publication: Publication, edition: Edition, role: str, status: int
) -> None:
    client.force_login(make_user("rose", role, publication=publication))

    told = {"x-requested-with": "XMLHttpRequest"}

    added = client.post(url(edition), {"block_id": edition.content[0].id, "text": "Shorter."}, headers=told)

    assert added.status_code == client.get(url(edition), headers=told).status_code == status
    assert Remark.objects.exists() is (status == 200)


def test_a_remark_of_another_edition_is_not_there(desk: Client, edition: Edition, publication: Publication) -> None:
    other = Edition.objects.create(publication=publication, title="Other")
    add(desk, edition, "Shorter, please.")

    assert desk.post(url(other, Remark.objects.get().pk)).status_code == 404
