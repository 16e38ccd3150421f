"""Feeds and pages from a real server on loopback: polled in turn, each entry once, what failed shown."""

import datetime as dt
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from django.utils import timezone
from PIL import Image as Pillow

from composer.articles.article import ArticleError
from composer.intake import take_in
from composer.models import Publication, Source, SourceEntry, Story
from tasks.http.download import DownloadError
from tasks.http.guard import Guard
from tasks.http.hosts import MOST_PER_HOST
from tasks.sources import addresses, polling
from tests.factories import make_publication
from tests.site import Site, rss

pytestmark = pytest.mark.django_db


def picture() -> bytes:
    output = BytesIO()
    Pillow.new("RGB", (1600, 900), (20, 90, 160)).save(output, "JPEG")
    return output.getvalue()


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as site:
        yield site


@pytest.fixture
def publication() -> Publication:
    return make_publication()


def source_of(publication: Publication, url: str, **fields: Any) -> Source:
    return Source.objects.create(publication=publication, url=url, **fields)


def poll(site: Site, source: Source) -> polling.Polled:
    """As beat does, once it is the source's turn."""
    Source.objects.filter(pk=source.pk).update(next_poll_at=timezone.now())
    return polling.poll_due(site.guard)


def test_each_entry_becomes_a_story_once(site: Site, publication: Publication) -> None:
    source = source_of(publication, site.put("/feed", rss(("1", "Quay closes"), ("2", "Trams run"))), topic="City")

    assert poll(site, source) == polling.Polled(sources=1, stories=2)
    Story.objects.get(headline="Trams run").delete()
    site.put("/feed", rss(("1", "Quay closes, again"), ("2", "Trams run"), ("3", "A new roof")))
    assert poll(site, source) == polling.Polled(sources=1, stories=1)

    assert set(Story.objects.values_list("headline", "origin", "topics")) == {
        ("Quay closes", "feed", "City"),
        ("A new roof", "feed", "City"),
    }
    source.refresh_from_db()
    assert (source.title, source.failures, source.error) == ("The Gazette", 0, "")
    assert source.polled_at is not None


def test_what_is_not_due_is_left(site: Site, publication: Publication) -> None:
    source = source_of(publication, site.put("/feed", rss(("1", "Quay"))))
    poll(site, source)

    assert polling.poll_due(site.guard) == polling.Polled()
    assert site.asked["/feed"] == 1


def test_an_unchanged_feed_is_not_sent_again(site: Site, publication: Publication) -> None:
    source = source_of(
        publication, site.put("/feed", rss(("1", "Quay")), ETag='"a"', Last_Modified="Tue, 24 Nov 2026 10:00:00 GMT")
    )
    poll(site, source)
    poll(site, source)

    assert site.headers["/feed"]["If-None-Match"] == '"a"'
    assert site.headers["/feed"]["If-Modified-Since"] == "Tue, 24 Nov 2026 10:00:00 GMT"
    assert Story.objects.count() == 1


def test_failures_are_shown_and_asked_less_often(site: Site, publication: Publication) -> None:
    source = source_of(publication, site.put("/feed", b"", status=503, Retry_After="86400"))
    first = poll(site, source)
    source.refresh_from_db()

    assert first == polling.Polled(sources=1, failed=1)
    assert (source.failures, source.error) == (1, "the server answers 503")
    assert source.next_poll_at > timezone.now() + dt.timedelta(hours=23)

    site.put("/feed", b"<html>no feed</html>")
    poll(site, source)
    source.refresh_from_db()
    assert (source.failures, source.error) == (2, "it is no RSS or Atom feed")

    site.put("/feed", rss(("1", "Quay")))
    poll(site, source)
    source.refresh_from_db()
    assert (source.failures, source.error) == (0, "")


def test_a_feed_that_is_gone_is_polled_no_more(site: Site, publication: Publication) -> None:
    source = source_of(publication, site.put("/feed", b"", status=410))
    poll(site, source)
    source.refresh_from_db()

    assert not source.is_active
    assert "gone for good" in source.error


def test_filters(site: Site, publication: Publication) -> None:
    items = (("1", "Harbour bridge closes"), ("2", "Bridgework at the dentist"), ("3", "Bridge party: sponsored"))
    source = source_of(publication, site.put("/feed", rss(*items)), include="bridge, tram", exclude="Sponsored")
    poll(site, source)

    assert list(Story.objects.values_list("headline", flat=True)) == ["Harbour bridge closes"]
    assert SourceEntry.objects.count() == 3


def test_the_first_poll_takes_in_what_is_young(site: Site, publication: Publication) -> None:
    items = "".join(f"<item><guid>{n}</guid><title>Story {n}</title></item>" for n in range(30))
    old = "<item><guid>old</guid><title>Old</title><pubDate>Tue, 05 May 2020 10:00:00 GMT</pubDate></item>"
    body = f'<rss version="2.0"><channel><title>G</title>{old}{items}</channel></rss>'.encode()
    source = source_of(publication, site.put("/feed", body))

    assert poll(site, source).stories == polling.FIRST_MOST
    assert not Story.objects.filter(headline="Old").exists()
    assert poll(site, source).stories == 0


def test_a_broken_feed_keeps_no_other_waiting(
    site: Site, publication: Publication, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = source_of(publication, site.put("/bad", rss(("1", "Bad"))))
    good = source_of(publication, site.put("/good", rss(("1", "Good"))))
    real = polling.read_feed

    def broken(raw: bytes, url: str, **rest: Any) -> Any:
        if url.endswith("/bad"):
            raise ValueError("nobody thought of it")
        return real(raw, url, **rest)

    monkeypatch.setattr(polling, "read_feed", broken)
    assert poll(site, good) == polling.Polled(sources=2, stories=1, failed=1)
    bad.refresh_from_db()
    assert "could not be taken in (ValueError)" in bad.error


def test_a_host_has_two_connections_at_most(site: Site, publication: Publication) -> None:
    for number in range(20):
        source_of(publication, site.put(f"/{number}", rss((f"k{number}", f"Story number {number}"))))

    assert polling.poll_due(site.guard) == polling.Polled(sources=20, stories=20)
    assert site.most_at_once <= MOST_PER_HOST


def test_a_changed_address_is_asked_anew(site: Site, publication: Publication) -> None:
    source = source_of(publication, site.put("/feed", rss(("1", "Quay")), ETag='"a"'))
    poll(site, source)
    source.refresh_from_db()
    source.url = site.put("/other", rss(("9", "Roof")), ETag='"a"')
    source.save()

    assert (source.etag, source.body_hash) == ("", "")
    assert poll(site, source).stories == 1


def test_pictures_are_checked_scaled_and_stored_once(
    site: Site, publication: Publication, settings: Any, tmp_path: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    site.put("/p.jpg", picture(), Content_Type="image/jpeg")
    site.put("/q.jpg", picture(), Content_Type="image/jpeg")
    site.put("/x.svg", b"<svg onload='alert(1)'/>", Content_Type="image/svg+xml")
    for number, name in enumerate(("p.jpg", "q.jpg", "x.svg")):
        extra = f'<enclosure url="/{name}" type="image/jpeg"/>'
        source_of(publication, site.put(f"/feed{number}", rss((f"k{number}", f"Story {name}"), extra=extra)))
    polling.poll_due(site.guard)

    images = {story.headline: story.image for story in Story.objects.select_related("image")}
    assert images["Story p.jpg"] == images["Story q.jpg"]
    assert (images["Story p.jpg"].width, images["Story p.jpg"].height) == (1200, 675)
    assert images["Story x.svg"] is None


def test_a_page_is_a_story(site: Site, publication: Publication) -> None:
    page = (
        "<html><head><title>Quay closes</title></head><body><article><p>"
        + "The council voted. " * 30
        + "</p></article>"
    )
    url = site.put("/quay", page.encode(), Content_Type="text/html; charset=utf-8")
    site.put("/short", b"", status=301, Location="/quay")

    page_found = addresses.fetched(url, site.guard)
    first = take_in(publication, page_found)
    again = take_in(publication, addresses.fetched(f"{site.url}/short", site.guard))
    assert (page_found.form, first.created, again.repeated) == ("page", 1, 1)
    (story,) = Story.objects.all()
    assert (story.headline, story.origin, story.source_url) == ("Quay closes", "url", url)
    assert "council" in story.source_text


def test_what_cannot_be_had_is_said_with_the_address(site: Site, publication: Publication) -> None:
    with pytest.raises(DownloadError, match=r"/nothing: the server answers 404"):
        addresses.fetched(f"{site.url}/nothing", site.guard)
    with pytest.raises(DownloadError, match="private network"):
        addresses.fetched(f"{site.url}/nothing", Guard())
    with pytest.raises(ArticleError, match="it is application/pdf, neither a web page nor a feed"):
        addresses.fetched(site.put("/a.pdf", b"%PDF", Content_Type="application/pdf"), site.guard)
    with pytest.raises(DownloadError, match="larger than 3 MB"):
        addresses.fetched(site.put("/big", b"x" * 3_100_000, Content_Type="text/html"), site.guard)
    assert Story.objects.count() == 0
