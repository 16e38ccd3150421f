"""A digest is pasted, uploaded or fetched at the desk: read first, stored only when somebody says so."""

import base64
import functools
import ipaddress
from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from composer.models import Edition, Publication, Source, Story
from tasks.http.guard import Guard
from tests.site import Site, rss
from tests.web.desk.conftest import Make
from web.desk import story_intake

pytestmark = pytest.mark.integration

DIGEST = """Harbour Weekly

Good morning.

CULTURE

1. Rivers rise in the north

The water stands two metres above the mark, and the people on the quay have begun to carry sand.

2) The market gets a roof

After ten years of plans the square will be dry; the council voted for glass and against steel.

Share this on Facebook
"""


def add(desk: Client, publication: Publication, **fields: Any) -> Any:
    return desk.post(reverse("desk_add_stories"), {"publication": publication.pk, **fields})


def test_reading_shows_everything_and_stores_nothing(
    desk: Client, publication: Publication, stories: list[Story]
) -> None:
    page = add(desk, publication, text=DIGEST, read="").content.decode()

    assert "Nothing is stored yet" in page
    assert "The market gets a roof" in page
    assert "CULTURE" in page
    assert "is there already" in page
    assert "Could be read otherwise" in page
    assert Story.objects.count() == len(stories)
    assert not Edition.objects.exists()


def test_a_digest_becomes_an_edition(desk: Client, publication: Publication) -> None:
    answer = add(desk, publication, text=DIGEST.replace("2)", "2."), edition="")

    (edition,) = Edition.objects.all()
    assert answer.url == reverse("wagtailsnippets_composer_edition:edit", args=[edition.pk])
    assert edition.title == "Harbour Weekly"
    assert [block.block_type for block in edition.content] == ["section", "story", "story"]
    assert edition.approval is None


def test_or_only_its_stories_come_in(desk: Client, publication: Publication, stories: list[Story]) -> None:
    answer = add(desk, publication, text=DIGEST.replace("2)", "2."), stories="")

    assert answer.url == reverse("wagtailsnippets_composer_story:list")
    assert Story.objects.count() == len(stories) + 1
    assert not Edition.objects.exists()


def test_pasted_markup_is_read_instead_of_its_text(desk: Client, publication: Publication) -> None:
    html = "<h1>Weekly</h1><h2>Quay closes</h2><p>The <a href='https://example.com/a'>council</a> voted for it on Tuesday.</p><h2>Trams run</h2><p>All night long, on three lines, from the end of May.</p>"
    add(desk, publication, text="Weekly Quay closes", html=html, stories="")

    assert 'href="https://example.com/a"' in Story.objects.get(headline="Quay closes").body


def test_a_file_is_carried_to_the_second_step(desk: Client, publication: Publication) -> None:
    raw = DIGEST.replace("2)", "2.").encode("utf-16")
    page = add(desk, publication, file=SimpleUploadedFile("digest.txt", raw), read="")
    carried = base64.b64encode(raw).decode()
    assert carried in page.content.decode()

    add(desk, publication, carried=carried, edition="")
    assert Edition.objects.get().title == "Harbour Weekly"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "Paste a text, choose a file or give an address."),
        ({"text": DIGEST, "url": "https://example.com"}, "Give one of the three"),
        ({"text": "1. One\n\nText.\n\n3. Three\n\nText.\n"}, "Line 5: story 2 is missing"),
        ({"text": "Nothing like a digest."}, "Line 1: "),
        ({"url": "http://127.0.0.1/"}, "inside a private network"),
        ({"carried": "%%%"}, "choose it again"),
    ],
)
def test_what_cannot_be_read_is_said_and_kept(
    desk: Client, publication: Publication, fields: Any, message: str
) -> None:
    answer = add(desk, publication, **fields, stories="")

    assert answer.status_code == 422
    assert message in answer.content.decode()
    assert fields.get("text", "") in answer.content.decode()
    assert not Story.objects.exists()


def test_a_large_file_is_refused(desk: Client, publication: Publication) -> None:
    file = BytesIO(b"x" * 1_600_000)
    file.name = "large.txt"
    assert "at most 1.5 are read here" in add(desk, publication, file=file, read="").content.decode()


def test_an_address_is_read_and_stored(desk: Client, publication: Publication, monkeypatch: pytest.MonkeyPatch) -> None:
    with Site() as site:
        ours = functools.partial(
            Guard, allows=lambda one: one == ipaddress.ip_address("127.0.0.1"), ports=site.guard.ports
        )
        monkeypatch.setattr(story_intake, "Guard", ours)
        url = site.put("/feed", rss(("1", "Quay closes"), ("2", "Trams run")))

        page = add(desk, publication, url=url, read="").content.decode()
        assert "Trams run" in page
        assert "Make the edition" not in page
        add(desk, publication, url=url, stories="")
    assert set(Story.objects.values_list("headline", "origin")) == {("Quay closes", "feed"), ("Trams run", "feed")}


def test_the_bookmarklet_leads_here_with_the_address(desk: Client, publication: Publication) -> None:
    page = desk.get(reverse("desk_add_stories"), {"url": "https://example.com/<a>"}).content.decode()

    assert 'value="https://example.com/&lt;a&gt;"' in page
    assert "javascript:void(window.open(" in page


def test_whoever_may_not_add_stories_may_not_come_in(client: Client, make_user: Make, publication: Publication) -> None:
    client.force_login(make_user("bo", "analyst"))
    assert add(client, publication, text=DIGEST, stories="").status_code in {302, 403}
    assert not Story.objects.exists()


def test_sources_are_listed_with_what_failed(desk: Client, publication: Publication) -> None:
    Source.objects.create(
        publication=publication, url="https://example.com/feed", failures=3, error="the server answers 503"
    )

    page = desk.get("/desk/sources/").content.decode()
    assert "failed 3 times: the server answers 503" in page


def test_a_doubt_is_settled_with_a_click(desk: Client, publication: Publication) -> None:
    line = next(number for number, text in enumerate(DIGEST.splitlines(), 1) if text.startswith("2)"))

    first = add(desk, publication, text=DIGEST, read="").content.decode()
    second = add(desk, publication, text=DIGEST, decide=f"{line}=text")
    page = second.content.decode()

    assert f'value="{line}=headline"' in first
    assert f'value="{line}=' not in page
    assert "1 story" in page
    decided = second.context["form"]["decided"].value()
    add(desk, publication, text=DIGEST, decided=decided, edition="")
    assert [block.block_type for block in Edition.objects.get().content].count("story") == 1


def test_a_changed_text_is_read_anew(desk: Client, publication: Publication) -> None:
    decided = add(desk, publication, text=DIGEST, decide="11=text").context["form"]["decided"].value()

    page = add(desk, publication, text=f"A line above\n\n{DIGEST}", decided=decided, read="").content.decode()

    assert "Could be read otherwise" in page
    assert "2 stories" in page


def test_a_decision_about_no_line_is_said(desk: Client, publication: Publication) -> None:
    page = add(desk, publication, text=DIGEST, decide="999=headline")

    assert "Line 999: it was decided to be a headline" in page.content.decode()


def test_without_a_publication_the_page_says_what_to_do(desk: Client) -> None:
    assert "Make the first one." in desk.get(reverse("desk_add_stories")).content.decode()


def test_a_mail_address_says_where_it_is_posted_to_and_needs_senders(desk: Client, publication: Publication) -> None:
    said = {"publication": publication.pk, "url": "mailto:stories@in.example.com", "is_active": "on"}
    assert "Say whom mails are taken from." in desk.post("/desk/sources/add/", said).content.decode()

    desk.post("/desk/sources/add/", {**said, "senders": "news.example"})
    source = Source.objects.get()
    Source.objects.update(error="a mail was refused: m@evil.example is not among the senders")

    assert source.webhook_url in desk.get(f"/desk/sources/edit/{source.pk}/").content.decode()
    assert "m@evil.example is not among the senders" in desk.get("/desk/sources/").content.decode()
