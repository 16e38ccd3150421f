import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import NoReverseMatch, reverse
from wagtail.models import ModelLogEntry

from composer.approval import approve
from composer.models import Approval, Edition, Publication
from subscribers.models import Segment
from tasks.models import Send

pytestmark = pytest.mark.integration

Make = Callable[..., Any]
NEVER_SAID = re.compile(r"publish|\blive\b|moderation", re.IGNORECASE)


def edit_url(edition: Edition) -> str:
    return reverse("wagtailsnippets_composer_edition:edit", args=[edition.pk])


def reopen_url(edition: Edition) -> str:
    return reverse("wagtailsnippets_composer_edition:reopen", args=[edition.pk])


def shown(response: Any) -> str:
    return " ".join(str(message) for message in response.context["messages"])


def press_approve(desk: Client, edition: Edition, data: dict[str, Any]) -> Any:
    return desk.post(edit_url(edition), {**data, "action-approve": "Approve"}, follow=True)


def test_approving_saves_what_is_on_the_screen_and_freezes_it(
    desk: Client, ada: Any, edition: Edition, form: Make
) -> None:
    response = press_approve(desk, edition, form(edition, subject="Read me"))

    approval = Approval.objects.standing().get()
    assert "No. 1 is approved" in shown(response)
    assert approval.content_hash in response.content.decode()
    assert (approval.variants.get().subject, approval.approved_by) == ("Read me", ada)
    page = response.content.decode()
    assert "Approved by Ada Lovelace" in page
    assert "Reopen" in page
    assert 'name="action-approve"' not in page


def test_errors_are_listed_and_nothing_is_approved(desk: Client, edition: Edition, form: Make) -> None:
    blocks: list[Any] = [("story", {"headline": "Lorem ipsum dolor", "lede": "Text."}, "")]

    response = press_approve(desk, edition, form(edition, blocks=blocks))

    assert "Not approved" in shown(response)
    assert "story 1" in shown(response).lower()
    assert not Approval.objects.exists()
    assert "To be mended before approval" in response.content.decode()


def test_an_unknown_segment_is_an_error_and_a_known_one_is_frozen_with_its_rule(
    desk: Client, edition: Edition, form: Make, publication: Publication
) -> None:
    blocks: list[Any] = [
        ("story", {"headline": "For everybody", "lede": "Text."}, ""),
        ("story", {"headline": "For the few", "lede": "Text.", "audience": "vip"}, ""),
    ]

    refused = press_approve(desk, edition, form(edition, blocks=blocks))
    assert "no segment “vip”" in shown(refused)
    rule = {"all": [{"field": "tags", "op": "has_any", "value": ["vip"]}]}
    Segment.objects.create(publication=publication, slug="vip", name="The few", rule=rule)
    edition.refresh_from_db()
    press_approve(desk, edition, form(edition, blocks=blocks))

    approval = Approval.objects.standing().get()
    assert approval.audience_rules == {"vip": rule}
    assert approval.variants.count() == 2


def test_whoever_only_approves_has_edited_nothing(
    client: Client, make_user: Make, edition: Edition, form: Make, publication: Publication
) -> None:
    publication.second_approver = True
    publication.save()
    grace, ada = make_user("grace", is_superuser=True), make_user("ada", is_superuser=True)
    edition.title = "By Grace"
    edition.save_revision(user=grace)

    client.force_login(grace)
    assert "wants a second person" in shown(press_approve(client, edition, form(edition)))
    client.force_login(ada)
    press_approve(client, edition, form(edition))

    assert Approval.objects.standing().get().approved_by == ada
    edition.refresh_from_db()
    assert edition.latest_revision.user == grace


def test_a_second_person_who_changes_something_is_the_last_editor(
    client: Client, make_user: Make, edition: Edition, form: Make, publication: Publication
) -> None:
    publication.second_approver = True
    publication.save()
    client.force_login(make_user("ada", is_superuser=True))

    response = press_approve(client, edition, form(edition, title="One more word"))

    assert "wants a second person" in shown(response)
    assert not Approval.objects.exists()


def test_a_stale_tab_cannot_approve_over_somebody_elses_words(
    desk: Client, edition: Edition, form: Make, make_user: Make
) -> None:
    stale = form(edition)
    edition.title = "By Grace"
    edition.save_revision(user=make_user("grace"))

    response = desk.post(edit_url(edition), {**stale, "action-approve": "Approve"})

    assert "newer version" in shown(response)
    edition.refresh_from_db()
    assert (edition.title, edition.approval) == ("By Grace", None)


def test_approving_needs_its_own_permission(client: Client, make_user: Make, edition: Edition, form: Make) -> None:
    client.force_login(make_user("eve", "writer"))

    page = client.get(edit_url(edition)).content.decode()
    press_approve(client, edition, form(edition))
    assert 'name="action-approve"' not in page
    assert not Approval.objects.exists()

    approve(edition, by=None, audience_rules={})
    client.post(reopen_url(edition))
    assert edition.approval


def test_the_editor_who_may_approve_needs_no_superuser(
    client: Client, make_user: Make, edition: Edition, form: Make
) -> None:
    client.force_login(make_user("eve", "editor"))

    press_approve(client, edition, form(edition))

    assert Approval.objects.standing().exists()


def test_reopening_voids_by_post_only(desk: Client, edition: Edition) -> None:
    approve(edition, by=None, audience_rules={})

    assert desk.get(reopen_url(edition)).status_code == 405
    assert edition.approval
    response = desk.post(reopen_url(edition), follow=True)

    assert "draft again" in shown(response)
    assert edition.approval is None
    actions = ModelLogEntry.objects.for_instance(edition).values_list("action", flat=True)
    assert {"newsdesk.approve", "newsdesk.reopen"} <= set(actions)


@pytest.mark.parametrize(
    ("status", "reopened"), [("scheduled", True), ("sending", False), ("paused", False), ("sent", True)]
)
def test_an_edition_on_its_way_stays_closed(desk: Client, edition: Edition, status: str, reopened: bool) -> None:
    approval = approve(edition, by=None, audience_rules={})
    prepared_at = None if status == "scheduled" else approval.approved_at
    Send.objects.create(
        approval=approval, edition=edition, scheduled_at=approval.approved_at, status=status, prepared_at=prepared_at
    )

    response = desk.post(reopen_url(edition), follow=True)

    assert ("draft again" in shown(response)) is reopened
    assert (edition.approval is None) is reopened


def test_the_locked_form_says_who_approved_and_offers_no_save(desk: Client, edition: Edition, ada: Any) -> None:
    approve(edition, by=ada, audience_rules={})

    page = desk.get(edit_url(edition)).content.decode()

    assert "No. 1 was approved</b> by Ada Lovelace" in page
    assert "w-autosave-interval-value" not in page
    assert 'data-w-progress-active-value="Saving…"' not in page


def test_publishing_by_hand_is_refused(desk: Client, edition: Edition, form: Make) -> None:
    desk.post(edit_url(edition), {**form(edition), "action-publish": "action-publish"})

    edition.refresh_from_db()
    assert not edition.live
    for name in ("unpublish", "revisions_unschedule"):
        with pytest.raises(NoReverseMatch):
            reverse(f"wagtailsnippets_composer_edition:{name}", args=[edition.pk])


def test_an_edition_that_was_ever_approved_cannot_be_deleted(desk: Client, edition: Edition) -> None:
    approve(edition, by=None, audience_rules={})
    desk.post(reopen_url(edition))
    url = reverse("wagtailsnippets_composer_edition:delete", args=[edition.pk])

    response = desk.post(url, follow=True)

    assert "stays" in shown(response)
    assert Edition.objects.filter(pk=edition.pk).exists()


@pytest.mark.parametrize("approved", [False, True])
def test_no_screen_of_an_edition_speaks_of_publishing(desk: Client, edition: Edition, approved: bool) -> None:
    if approved:
        approve(edition, by=None, audience_rules={})
    names = ("edit", "history", "usage", "delete")
    urls = [reverse(f"wagtailsnippets_composer_edition:{name}", args=[edition.pk]) for name in names]
    urls += [reverse(f"wagtailsnippets_composer_edition:{name}") for name in ("list", "add")]

    for url in [*urls, reverse("wagtailadmin_home")]:
        page = desk.get(url, follow=True).content.decode()
        text = re.sub(
            r"<script.*?</script>|<!--.*?-->|<svg.*?</svg>|<template.*?</template>", "", page, flags=re.DOTALL
        )
        text = re.sub(r"<[^>]*>", " ", text)
        match = NEVER_SAID.search(text)
        assert match is None, f"{url}: …{text[max(0, match.start() - 60) : match.end() + 60]}…"
