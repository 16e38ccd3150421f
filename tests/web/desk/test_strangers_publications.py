"""Nothing of a publication that is not theirs reaches anybody: on the first page, in the calendar, search, reports, bulk actions."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from composer import review, story_copying
from composer.models import Edition, Holiday, Membership, Publication, Source, Story
from subscribers.models import Consent
from tasks.alarms.raising import raise_alarm
from tasks.models import Send
from tests import factories
from tests.web.desk.conftest import Make, logged_in_just_now

pytestmark = pytest.mark.integration

TITLE, HEADLINE, NAME, READER = "All about the takeover", "Rivers plc is sold", "Secret Letter", "takeover@example.org"
HOME, CALENDAR = "/desk/", "/desk/calendar/"
SEARCH = "/desk/search/?q=takeover"
BULK = "/desk/bulk/composer/story/{}/?id={}&next=/desk/stories/"


@pytest.fixture
def other(db: None) -> Publication:
    return factories.make_publication(title=NAME, cadence_weekday=2, cadence_time="08:00", timezone="Asia/Tokyo")


@pytest.fixture
def secret(other: Publication) -> Story:
    return Story.objects.create(publication=other, headline=HEADLINE, lede="The takeover was signed on Monday.")


@pytest.fixture
def out(other: Publication, secret: Story, ada: Any) -> Send:
    """A send of an approved edition of the other publication, of which everything shows that can."""
    edition = Edition(publication=other, title=TITLE, slot=timezone.now() + timedelta(hours=1))
    edition.content = [("story", story_copying.copy_of(secret))]
    edition.save()
    edition.save_revision(user=ada)
    review.ask_for_approval(edition, by=ada)
    approval = factories.make_approval(edition)
    readers = factories.make_list(other)
    reader = factories.make_subscriber(readers, email=READER)
    Consent.objects.create(subscriber=reader, list=readers, kind="given", source="form", at=timezone.now())
    now = timezone.now()
    send = factories.make_send(approval=approval, lists=[readers], status="sent", prepared_at=now)
    factories.make_batch(send, size=999, status="submitted", delivered=987, clicked=654, tracked=True)
    held = factories.make_send(approval=approval, lists=[readers], status="paused", held_at=now, pause_reason="Why.")
    factories.make_batch(held, size=77, status="unknown")
    factories.make_send(approval=approval, lists=[readers], scheduled_at=now + timedelta(days=1))
    raise_alarm("send_held", "Theirs is held.", send_id=held.pk, edition_id=edition.pk)
    Source.objects.create(publication=other, url="https://secret.example.org/feed", error="404", failures=3)
    Holiday.objects.create(publication=other, day=now.date(), name="Founders")
    return send


#: Of everything above, what no stranger's page may hold.
SECRETS = (
    TITLE,
    HEADLINE,
    NAME,
    READER,
    "987 delivered",
    "654 of 999 tracked",
    "in doubt",
    "Theirs",
    "secret.example.org",
    "Founders",
    "Tokyo",
)


def named(client: Client, address: str) -> set[str]:
    answer = client.get(address)
    # What an analyst may not do leads back to the first page.
    assert answer.status_code in {200, 302}
    return {word for word in SECRETS if word in answer.content.decode()}


def of_the_weekly(make_user: Make, publication: Publication, role: str) -> Client:
    client = Client()
    client.force_login(make_user(role, role, publication=publication))
    logged_in_just_now(client)
    return client


@pytest.mark.parametrize("role", ["writer", "editor", "publisher", "analyst", "administrator"])
def test_no_page_names_anything_of_another_publication(
    make_user: Make, publication: Publication, edition: Edition, desk: Client, out: Send, role: str
) -> None:
    stranger = of_the_weekly(make_user, publication, role)

    seen = set()
    for address in (HOME, CALENDAR, SEARCH, "/desk/editions/add/", "/desk/stories/", "/desk/editions/"):
        assert named(stranger, address) == set(), address
        seen |= named(desk, address)
    # Else this test would look for what is nowhere.
    assert seen == set(SECRETS)


@pytest.mark.parametrize("role", ["publisher", "administrator"])
def test_no_address_of_a_report_or_a_send_is_there(
    make_user: Make, publication: Publication, edition: Edition, out: Send, role: str
) -> None:
    stranger = of_the_weekly(make_user, publication, role)
    theirs, variant = out.edition_id, out.approval.variants.get().pk
    batch = Send.objects.filter(batches__status="unknown").values_list("pk", "batches__pk").get()

    def status(name: str, *parts: Any, post: bool = False) -> int:
        address = reverse(f"wagtailsnippets_composer_edition:{name}", args=parts)
        answer = stranger.post(address) if post else stranger.get(address)
        return answer.status_code

    for name, parts in (
        ("edit", (theirs,)),
        ("inspect", (theirs,)),
        ("mail", (theirs, variant)),
        ("mail", (edition.pk, variant)),
        ("sends", (theirs,)),
        ("schedule", (theirs,)),
        ("send_back", (theirs,)),
        ("send_action", (theirs, out.pk, "rest")),
        ("send_action", (edition.pk, out.pk, "rest")),
        ("decide_batch", (theirs, *batch, "leave")),
        ("decide_batch", (edition.pk, *batch, "leave")),
        ("decide_batches", (theirs, out.pk, "leave")),
        ("decide_batches", (edition.pk, out.pk, "leave")),
    ):
        assert status(name, *parts) == 404, name
        assert status(name, *parts, post=True) in {404, 405}, name
    assert stranger.post(reverse("desk_remove_holiday", args=[Holiday.objects.get().pk])).status_code == 404
    assert stranger.post(reverse("desk_stop_weekly_slot", args=[out.edition.publication_id])).status_code == 404


def test_results_are_for_those_who_may_see_them_there(
    make_user: Make, publication: Publication, other: Publication, out: Send
) -> None:
    """Publisher of the one and writer of the other: what is scheduled in the other, not what came of it; no readers."""
    both = of_the_weekly(make_user, publication, "publisher")
    Membership.objects.create(user_id=int(both.session["_auth_user_id"]), publication=other, role="writer")

    assert named(both, HOME) == {TITLE, NAME, "Tokyo", "Theirs"}
    page = both.get(HOME).content.decode()
    assert "Send now" not in page
    assert "Done" not in page
    assert "<strong>0</strong> active subscriptions" in page
    assert READER not in both.get(SEARCH).content.decode()
    inspected = both.get(f"/desk/editions/edit/{out.edition_id}/").content.decode()
    assert "987" not in re.sub(r"<[^>]+>", " ", inspected)
    assert both.get(f"/desk/editions/sends/{out.edition_id}/").status_code == 302


def test_many_at_once_are_those_one_may_see(
    make_user: Make, publication: Publication, edition: Edition, stories: list[Story], secret: Story, out: Send
) -> None:
    draft = factories.make_edition(secret.publication, title="Their draft")
    writer = of_the_weekly(make_user, publication, "writer")
    new = Story.objects.create(publication=publication, headline="Ours")

    for action in ("add_to_edition", "set_topic", "delete"):
        address = BULK.format(action, f"{new.pk}&id={secret.pk}")
        page = writer.get(address).content.decode()
        assert "Ours" in page
        assert HEADLINE not in page
        assert "Their draft" not in page
    writer.post(BULK.format("add_to_edition", f"{new.pk}&id={secret.pk}"), {"edition": edition.pk})
    writer.post(BULK.format("add_to_edition", new.pk), {"edition": draft.pk})
    writer.post(BULK.format("set_topic", f"{new.pk}&id={secret.pk}"), {"topics": "Water"})

    edition.refresh_from_db()
    draft.refresh_from_db()
    assert [one.value["headline"] for one in edition.content][-1] == "Ours"
    assert HEADLINE not in [one.value["headline"] for one in edition.content]
    assert len(draft.content) == 0
    assert edition.latest_revision is not None
    assert edition.latest_revision.user == writer.get(HOME).context["user"]
    assert dict(Story.objects.values_list("headline", "topics"))[HEADLINE] == ""
    writer.post(BULK.format("delete", f"{secret.pk}"))
    assert Story.objects.filter(pk=secret.pk).exists()
