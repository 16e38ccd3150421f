"""No address answers 500, whoever asks what: what was found once, and as many requests as NEWSDESK_FUZZ says."""

import os
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from wagtail.images.models import Image

from composer.models import Edition, Story
from tests.factories import make_approval
from tests.web.desk.asking import NAMES, Asker
from tests.web.desk.test_every_address import people as people  # noqa: PLC0414 - fixtures
from tests.web.desk.test_every_address import world as world  # noqa: PLC0414 - fixtures

pytestmark = [
    pytest.mark.integration,
    # Wagtail leaves the file open into which it draws a smaller picture.
    pytest.mark.filterwarnings("ignore"),
]

WHO = ("anonymous", "nobody", "stranger", "writer", "editor", "publisher", "analyst", "administrator", "superuser")
#: Requests for each of them.
MANY = int(os.environ.get("NEWSDESK_FUZZ", "30"))


FILES = Path(__file__).parent / "files"


@pytest.fixture
def desk(desk: Client) -> Client:
    desk.raise_request_exception = False  # the answer is what counts
    return desk


@pytest.mark.parametrize("missing", ["content-count", "content-0-type", "content-0-order", "content-0-deleted"])
@pytest.mark.parametrize("approved", [False, True])
def test_a_form_without_its_blocks(desk: Client, edition: Edition, form: Any, missing: str, approved: bool) -> None:
    if approved:
        make_approval(edition)
    posted = {name: value for name, value in form(edition).items() if name != missing}

    answer = desk.post(f"/desk/editions/edit/{edition.pk}/", posted)
    assert answer.status_code in {302, 400}
    assert desk.post(f"/desk/editions/preview/{edition.pk}/", posted).status_code in {200, 302, 400}
    assert desk.post("/desk/editions/add/", posted).status_code == 400


TEXTS = ['"', '"x"', "null", "[]", "{}", "1", '{"blocks":1}', '{"blocks":[1],"entityMap":{}}', '{"blocks":[{"text":1}],"entityMap":{}}',
         '{"blocks":[{"key":"a","text":"a","type":"unstyled","inlineStyleRanges":[{"offset":-1,"length":9e9,"style":"NONE"}],"entityRanges":[]}],"entityMap":{}}',
         '{"blocks":[{"key":"a","text":"a","type":"none","inlineStyleRanges":[],"entityRanges":[{"offset":0,"length":1,"key":7}]}],"entityMap":[]}',
         "[" * 5000]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_rich_text_that_no_editor_sends(
    desk: Client, edition: Edition, stories: list[Story], form: Any, text: str
) -> None:
    story = {"headline": "A", "publication": edition.publication_id, "body": text}
    in_edition = {name: text if name.endswith("body") else value for name, value in form(edition).items()}
    assert in_edition != form(edition)

    for address, posted in (
        (f"/desk/stories/edit/{stories[0].pk}/", story),
        ("/desk/stories/add/", story),
        (f"/desk/stories/preview/{stories[0].pk}/", story),
        (f"/desk/editions/edit/{edition.pk}/", in_edition),
    ):
        assert desk.post(address, posted).status_code < 500, address


@pytest.mark.parametrize("action", ["add_to_edition", "set_topic", "archive", "bring_back", "delete"])
def test_ids_of_nothing_in_bulk(desk: Client, stories: list[Story], action: str) -> None:
    for number in ("../", "x", "٣", "9" * 30, "-1", ""):
        for ask in (desk.get, desk.post):
            assert ask(f"/desk/bulk/composer/story/{action}/?id={number}").status_code < 500, number


@pytest.mark.parametrize("count", ["", "x", "-1", "9" * 5000, "1e9", "\0", str(2**40)])
def test_a_number_of_blocks_that_is_none(desk: Client, edition: Edition, form: Any, count: str) -> None:
    posted = {**form(edition), "content-count": count}

    assert desk.post(f"/desk/editions/edit/{edition.pk}/", posted).status_code < 500


@pytest.mark.parametrize(
    "mode", ["variant-abc", "variant--1", "variant-" + "9" * 5000, "nothing", "", "html", "text", "a\0b"]
)
def test_modes_of_a_preview(desk: Client, edition: Edition, stories: list[Story], form: Any, mode: str) -> None:
    address = f"/desk/editions/preview/{edition.pk}/"
    desk.post(address, form(edition))
    assert desk.get(address, {"mode": mode}).status_code < 500
    assert desk.get(f"/desk/stories/preview/{stories[0].pk}/", {"mode": mode}).status_code < 500


@pytest.mark.parametrize("kind", ["external", "email", "phone", "anchor"])
@pytest.mark.parametrize(
    "data", [{}, {"url": "x"}, {"external-link-chooser-url": ""}, {"external-link-chooser-url": "http://["}]
)
def test_the_dialog_of_links(desk: Client, kind: str, data: dict[str, str]) -> None:
    address = f"/desk/choose-{kind}-link/"
    assert desk.post(address, data).status_code < 500
    assert desk.get(address, {**data, "link_url": "http://[", "link_text": "x" * 9000}).status_code < 500


def test_a_revision_goes_back_to_a_blank_title(desk: Client, edition: Edition, form: Any) -> None:
    revision = edition.latest_revision
    assert revision is not None
    address = f"/desk/editions/history/{edition.pk}/revisions/{revision.pk}/revert/"
    for posted in (form(edition, title=""), {}, {"title": "x" * 5000}):
        assert desk.post(address, posted).status_code < 500
        assert desk.post(f"/desk/editions/edit/{edition.pk}/", {**posted, "revision": revision.pk}).status_code < 500


@pytest.mark.parametrize("name", ["html.gif", "svg.png", "poly.png", "x.svg"])
def test_what_is_no_picture_is_refused_at_the_form(desk: Client, name: str) -> None:
    def file() -> SimpleUploadedFile:
        return SimpleUploadedFile(name, (FILES / name).read_bytes())

    answers = [
        desk.post("/desk/images/add/", {"title": "x", "file": file()}),
        desk.post(
            "/desk/images/chooser/create/", {"image-chooser-upload-title": "x", "image-chooser-upload-file": file()}
        ),
        desk.post(
            "/desk/images/multiple/add/",
            {"title": "x", "files[]": file()},
            headers={"x-requested-with": "XMLHttpRequest"},
        ),
    ]
    assert {answer.status_code for answer in answers} <= {200, 400, 404}, [answer.get("Location") for answer in answers]
    assert not Image.objects.exists()


def test_an_approved_edition_is_deleted_by_nobody(desk: Client, edition: Edition, stories: list[Story]) -> None:
    make_approval(edition)
    assert desk.post(f"/desk/bulk/composer/edition/delete/?id={edition.pk}").status_code < 500
    for model, pk in (("editions", edition.pk), ("stories", stories[0].pk), ("publications", edition.publication_id)):
        assert desk.delete(f"/desk/{model}/delete/{pk}/").status_code == 405
    assert Edition.objects.filter(pk=edition.pk).exists()
    assert Story.objects.filter(pk=stories[0].pk).exists()


def test_whoever_has_no_password_sets_one(client: Client, make_user: Any) -> None:
    client.force_login(make_user("new", "writer"))
    answer = client.get("/desk/security/password/")
    assert (answer.status_code, answer["Location"]) == (302, "/desk/security/password/set/")
    # Not without a login of a moment ago.
    assert client.get(answer["Location"]).status_code in {200, 302, 403}


@pytest.mark.parametrize(
    "address", ["/desk/editions/", "/desk/stories/", "/desk/login/", "/desk/search/", "/weekly/", "/desk/team/"]
)
@pytest.mark.parametrize("value", ["\0", "\udfff", "9" * 5000, str(2**63), "x" * 50_000, "1e999"])
def test_nonsense_in_every_parameter(desk: Client, edition: Edition, address: str, value: str) -> None:
    query = urlencode({name: value.encode("utf-8", "surrogatepass") for name in NAMES})
    assert desk.get(f"{address}?{query}").status_code < 500


def test_enormous_cookies(desk: Client) -> None:
    for value in ("x" * 100_000, '"\\000"', "é", "=;=;"):
        desk.cookies.load({"sessionid2": "a", "csrftoken": "y"})
        assert (
            desk.get(
                "/desk/", headers={"cookie": f"sessionid={value}; csrftoken={value}; messages={value}"}
            ).status_code
            < 500
        )
        assert (
            desk.get("/desk/login/", headers={"cookie": f"messages={value}; django_language={value}"}).status_code < 500
        )


@pytest.mark.parametrize("who", WHO)
def test_whatever_is_asked_nothing_is_our_fault(world: dict[str, Any], people: dict[str, Any], who: str) -> None:
    client = Client(raise_request_exception=False)
    if who != "anonymous":
        client.force_login(people[who])
    cookies = client.cookies.copy()
    asker = Asker(
        int(os.environ.get("NEWSDESK_SEED", "1")) * 100 + WHO.index(who), [str(value) for value in world.values()]
    )
    answers: Counter[int] = Counter()
    try:
        for _ in range(MANY):
            answers[asker.ask(client)] += 1
            # Some of them log out, or spoil their session.
            client.cookies = cookies.copy()
    finally:
        asker.close()
    print(who, answers)

    assert asker.failures == {}
