"""What belongs to a publication is not there for whoever has no role in it, wherever the desk shows such things."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from composer import story_copying
from composer.models import Edition, Publication, Source, Story
from tasks.alarms.raising import raise_alarm
from tasks.models import Alarm
from tests.web.desk.conftest import Make

pytestmark = pytest.mark.integration

SECRET = "The takeover of Rivers plc"


@pytest.fixture
def other(db: None) -> Publication:
    return Publication.objects.create(
        slug="other", title="Secret Letter", from_name="O", from_email="o@example.com", postal_address="2 Main Street"
    )


@pytest.fixture
def secret(other: Publication) -> Story:
    return Story.objects.create(publication=other, headline=SECRET, lede="Signed on Monday.")


@pytest.fixture
def secret_edition(other: Publication, secret: Story) -> Edition:
    made = Edition(publication=other, title="All about the takeover")
    made.content = [("story", story_copying.copy_of(secret))]
    made.save()
    made.save_revision()
    return made


@pytest.fixture
def writer(client: Client, make_user: Make, publication: Publication) -> Client:
    """Of The Weekly, and of nothing else."""
    client.force_login(make_user("bob", "writer", publication=publication))
    return client


@pytest.mark.parametrize(
    "address",
    [
        "/desk/",
        "/desk/stories/",
        "/desk/stories/?q=takeover",
        "/desk/stories/results/",
        "/desk/editions/",
        "/desk/editions/add/",
        "/desk/stories/add/",
        "/desk/add-stories/",
        "/desk/snippets/choose/composer/story/",
        "/desk/snippets/choose/composer/story/results/?q=takeover",
        "/desk/snippets/choose/composer/edition/",
    ],
)
def test_lists_and_forms_name_only_what_one_may_see(
    writer: Client, edition: Edition, secret_edition: Edition, address: str
) -> None:
    page = writer.get(address)

    assert page.status_code == 200
    assert not [word for word in (SECRET, "All about the takeover", "Secret Letter") if word in page.content.decode()]


def test_an_address_of_something_one_may_not_see_is_not_there(
    writer: Client, edition: Edition, stories: list[Story], secret: Story, secret_edition: Edition
) -> None:
    def answer(route: str, pk: int) -> int:
        return writer.get(route.format(pk)).status_code

    assert answer("/desk/editions/story/{}/", secret.pk) == 404
    assert answer("/desk/editions/story/{}/", stories[0].pk) == 200
    assert answer("/desk/snippets/choose/composer/story/chosen/{}/", secret.pk) == 404
    assert answer("/desk/snippets/choose/composer/story/chosen/{}/", stories[0].pk) == 200
    for what in ("edit", "delete", "usage", "history", "inspect", "preview"):
        assert answer(f"/desk/editions/{what}/{{}}/", secret_edition.pk) == 404, what
        assert answer(f"/desk/stories/{what}/{{}}/", secret.pk) == 404, what
    assert answer("/desk/stories/copy/{}/", secret.pk) == 404


def test_several_chosen_at_once_are_those_one_may_see(writer: Client, stories: list[Story], secret: Story) -> None:
    url = reverse("wagtailsnippetchoosers_composer_story:chosen_multiple")

    chosen = writer.get(f"{url}?id={secret.pk}&id={stories[0].pk}&id=x").json()["result"]

    assert [one["string"] for one in chosen] == [str(stories[0])]


def test_a_story_one_may_not_see_is_not_copied_by_saving_it(
    writer: Client, edition: Edition, secret: Story, form: Make
) -> None:
    url = reverse("wagtailsnippets_composer_edition:edit", args=[edition.pk])
    picked = [("story", {"story": secret}, "")]

    page = writer.post(url, form(edition, blocks=picked))
    preview = reverse("wagtailsnippets_composer_edition:preview_on_edit", args=[edition.pk])

    assert page.status_code == 200
    assert "A story is not of your publications" in page.content.decode()
    assert "Signed on Monday" not in page.content.decode()
    assert writer.post(preview, form(edition, blocks=picked)).json()["is_valid"] is False
    edition.refresh_from_db()
    assert len(edition.content) == 3


def test_a_story_that_stood_there_before_may_stay(
    writer: Client, desk: Client, make_user: Make, edition: Edition, secret: Story, form: Make
) -> None:
    edition.content = [
        *((one.block_type, one.value) for one in edition.content),
        ("story", story_copying.copy_of(secret)),
    ]
    edition.save_revision()
    writer = Client()
    writer.force_login(make_user("eve", "writer", publication=edition.publication))

    writer.post(reverse("wagtailsnippets_composer_edition:edit", args=[edition.pk]), form(edition, title="Newer"))

    edition.refresh_from_db()
    assert edition.title == "Newer"


def test_nothing_is_made_in_or_moved_to_another_publication(
    writer: Client, stories: list[Story], other: Publication, publication: Publication, form: Make
) -> None:
    made = writer.post(reverse("wagtailsnippets_composer_edition:add"), form(title="Mine", publication=str(other.pk)))
    assert "publication" in made.context["form"].errors
    url = reverse("wagtailsnippets_composer_story:edit", args=[stories[0].pk])
    data = {"headline": "Moved", "publication": other.pk, "body": "null", "image": ""}
    assert "publication" in writer.post(url, data).context["form"].errors
    writer.post("/desk/add-stories/", {"publication": other.pk, "text": "1. One\n\nA story.", "stories": ""})
    assert not Story.objects.filter(publication=other).exists()
    assert not Edition.objects.exists()


def test_bulk_deletion_neither_names_nor_deletes_what_one_may_not_see(
    writer: Client, stories: list[Story], secret: Story
) -> None:
    url = f"/desk/bulk/composer/story/delete/?id={stories[0].pk}&id={secret.pk}&next=/desk/stories/"

    assert SECRET not in writer.get(url).content.decode()
    writer.post(url)

    assert list(Story.objects.filter(pk__in=[stories[0].pk, secret.pk])) == [secret]


def test_bulk_deletion_keeps_what_was_approved(desk: Client, edition: Edition) -> None:
    from tests.factories import make_approval

    make_approval(edition)
    answer = desk.post(f"/desk/bulk/composer/edition/delete/?id={edition.pk}&next=/desk/editions/", follow=True)

    assert "Nothing was deleted" in answer.content.decode()
    assert Edition.objects.filter(pk=edition.pk).exists()


def test_an_analyst_sees_and_changes_nothing(
    client: Client, make_user: Make, edition: Edition, stories: list[Story], publication: Publication
) -> None:
    client.force_login(make_user("vic", "analyst", publication=publication))
    edit = reverse("wagtailsnippets_composer_edition:edit", args=[edition.pk])

    page = client.get(edit, follow=True)
    listed = client.get("/desk/editions/").content.decode()

    assert page.redirect_chain[0][0] == f"/desk/editions/inspect/{edition.pk}/"
    assert edition.title in page.content.decode()
    assert "/desk/editions/edit/" not in listed
    assert f"/desk/editions/inspect/{edition.pk}/" in listed
    client.post(edit, {"title": "Mine"})
    edition.refresh_from_db()
    assert edition.title == "Water and stone"


def test_rows_offer_what_may_be_done_in_their_publication(
    client: Client, make_user: Make, stories: list[Story], secret: Story, other: Publication, publication: Publication
) -> None:
    from composer.models import Membership

    user = make_user("bob", "writer", publication=publication)
    Membership.objects.create(user=user, publication=other, role="analyst")
    client.force_login(user)

    page = client.get("/desk/stories/").content.decode()

    assert f"/desk/stories/edit/{stories[0].pk}/" in page
    assert f"/desk/stories/edit/{secret.pk}/" not in page
    assert f"/desk/stories/delete/{secret.pk}/" not in page
    assert client.post(f"/desk/stories/delete/{secret.pk}/").status_code in {302, 403}
    assert Story.objects.filter(pk=secret.pk).exists()


def test_alarms_of_other_publications_are_not_there(
    client: Client, make_user: Make, publication: Publication, other: Publication
) -> None:
    for where, words in ((publication.pk, "Ours is late."), (other.pk, "Theirs is late."), (None, "All is late.")):
        raise_alarm("slot_missed", words, publication_id=where)
    client.force_login(make_user("bob", "editor", publication=publication))

    page = client.get("/desk/").content.decode()
    for alarm in Alarm.objects.all():
        client.post(reverse("desk_clear_alarm", args=[alarm.pk]))

    assert "Ours is late." in page
    assert "All is late." in page
    assert "Theirs is late." not in page
    assert [alarm.message for alarm in Alarm.objects.exclude(cleared_at=None)] == ["Ours is late."]


def test_sources_are_for_those_who_manage_them(
    client: Client, make_user: Make, publication: Publication, other: Publication
) -> None:
    for where in (publication, other):
        Source.objects.create(publication=where, url=f"https://example.com/{where.slug}")
    client.force_login(make_user("eve", "editor", publication=publication))

    page = client.get("/desk/sources/").content.decode()

    assert "example.com/weekly" in page
    assert "example.com/other" not in page


@pytest.mark.parametrize("address", ["/desk/", "/desk/stories/", "/desk/editions/"])
def test_rights_cost_one_query_however_many_rows(
    writer: Client, publication: Publication, edition: Edition, address: str, django_assert_max_num_queries: Any
) -> None:
    def cost() -> list[str]:
        with django_assert_max_num_queries(40) as asked:
            writer.get(address)
        return [query["sql"] for query in asked.captured_queries]

    few = cost()
    for number in range(12):
        Story.objects.create(publication=publication, headline=f"Story {number}")
        Edition.objects.create(publication=publication, title=f"Edition {number}")
    many = cost()

    assert len(many) <= len(few) + 1
    assert sum("composer_membership" in sql for sql in many) == 1
