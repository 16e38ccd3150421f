"""Stories from files, pages and feeds at the command line."""

import functools
import ipaddress
import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from composer.models import Publication, Source, Story
from newsdesk.core.errors import InputError
from tasks.http import guard as guards
from tests.factories import make_publication
from tests.site import Site, rss

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as site:
        yield site


@pytest.fixture
def reachable(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """The guard lets the commands reach this one server of our own machine."""
    ours = functools.partial(
        guards.Guard, allows=lambda one: one == ipaddress.ip_address("127.0.0.1"), ports=site.guard.ports
    )
    monkeypatch.setattr(guards, "Guard", ours)
    return site


@pytest.fixture
def publication() -> Publication:
    return make_publication()


def run(command: str, *words: object) -> dict[str, Any]:
    out = StringIO()
    call_command(command, *map(str, words), "--json", stdout=out)
    report: dict[str, Any] = json.loads(out.getvalue())
    return report


def test_a_table_a_page_and_a_feed_at_once(reachable: Site, publication: Publication, tmp_path: Path) -> None:
    table = tmp_path / "stories.csv"
    table.write_text("title,url,mine\nQuay closes,https://example.com/a,x\n")
    page = reachable.put("/page", b"<title>Trams run</title><p>" + b"They run. " * 40, Content_Type="text/html")
    feed = reachable.put("/feed", rss(("1", "A new roof"), ("2", "Quay closes")))

    report = run("import_stories", table, page, feed, "--publication", publication.slug)

    assert (report["created"], report["repeated"]) == (3, 1)
    assert [one["format"] for one in report["reports"]] == ["csv", "page", "feed"]
    assert report["report"]["dropped"] == [{"line": 1, "text": "mine", "reason": "no column of a story"}]
    assert set(Story.objects.values_list("headline", "origin")) == {
        ("Quay closes", "file"),
        ("Trams run", "url"),
        ("A new roof", "feed"),
    }


def test_one_bad_source_takes_in_nothing(reachable: Site, publication: Publication, tmp_path: Path) -> None:
    table = tmp_path / "stories.json"
    table.write_text('[{"title": "Quay closes"}, {"title": ""}]')
    with pytest.raises(InputError, match=r"stories\.json: row 2: it has no headline"):
        run("import_stories", table, "--publication", publication.slug)
    with pytest.raises(InputError, match="/gone: the server answers 404"):
        run("import_stories", f"{reachable.url}/gone", "--publication", publication.slug)
    assert not Story.objects.exists()


def test_an_address_inside_is_refused(site: Site, publication: Publication) -> None:
    with pytest.raises(InputError, match="inside a private network"):
        run("import_stories", f"{site.url}/feed", "--publication", publication.slug)
    assert not site.asked


def test_a_source_is_read_when_it_is_added_and_listed(reachable: Site, publication: Publication) -> None:
    url = reachable.put("/feed", rss(("1", "A new roof")))

    added = run("add_source", url, "--publication", publication.slug, "--topic", "City")
    (listed,) = run("sources", "--publication", publication.slug)["sources"]

    assert (added["title"], added["stories"]) == ("The Gazette", 1)
    assert (listed["stories"], listed["failures"], listed["url"]) == (1, 0, url)
    with pytest.raises(InputError, match="has this source already"):
        run("add_source", url, "--publication", publication.slug)


def test_what_is_no_feed_is_not_added(reachable: Site, publication: Publication) -> None:
    url = reachable.put("/page", b"<html>no</html>")
    with pytest.raises(InputError, match="it is no RSS or Atom feed"):
        run("add_source", url, "--publication", publication.slug)
    assert not Source.objects.exists()


def test_failures_are_listed(reachable: Site, publication: Publication) -> None:
    Source.objects.create(publication=publication, url=f"{reachable.url}/gone")
    out = StringIO()
    call_command("sources", "--poll", stdout=out)

    assert "failed 1 times: the server answers 404" in out.getvalue()


def test_an_address_for_mails_says_where_they_are_posted_to(publication: Publication) -> None:
    url = "mailto:stories@in.example.com"
    with pytest.raises(InputError, match="Say whom mails are taken from"):
        run("add_source", url, "--publication", publication.slug)

    added = run("add_source", url, "--publication", publication.slug, "--senders", "news.example")
    Source.objects.update(error="a mail was refused")
    out = StringIO()
    call_command("sources", "--poll", stdout=out)

    assert "/webhooks/inbound/" in added["webhook_url"]
    assert run("sources")["sources"][0]["webhook_url"] == added["webhook_url"]
    assert "0 stories; a mail was refused" in out.getvalue()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("imaps://me:secret@mail.example/INBOX", "Leave the password out"),
        ("imaps://mail.example/INBOX", "Write a mailbox as"),
        ("imaps://me@mail.example:x/INBOX", "It cannot be read"),
        ("mailto:stories", "Write a mail address as"),
        ("imaps://me@mail.example/INBOX", "NEWSDESK_MAILBOXES has no such user and host"),
    ],
)
def test_addresses_of_mails_are_looked_at(url: str, said: str, publication: Publication) -> None:
    with pytest.raises(InputError, match=said) as error:
        run("add_source", url, "--publication", publication.slug, "--senders", "news.example")
    assert "secret@" not in str(error.value).removeprefix(url)
    assert not Source.objects.exists()
