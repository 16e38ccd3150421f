"""Feeds of all three kinds, and broken ones.

NEWSDESK_FEEDS names a folder of more, such as `tests` in the source package of feedparser.
"""

import datetime as dt
import json
import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from composer.articles.article import ArticleError
from composer.articles.feed import is_feed, read_feed

FEEDS = os.environ.get("NEWSDESK_FEEDS", "")
URL = "https://gazette.example.com/feed"
RSS = """<?xml version="1.0"?><rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/"><channel><title>The Gazette</title>
<item><guid isPermaLink="false">tag:1</guid><title>Quay &amp;amp; trams</title><link>/a?utm_source=rss</link>
<description>&lt;p&gt;First &lt;b&gt;sentence&lt;/b&gt;.&lt;/p&gt;&lt;img src="/x.jpg" alt="A quay"&gt;</description>
<pubDate>Tue, 24 Nov 2026 10:00:00 GMT</pubDate><category>City</category></item>
<item><title>No guid</title><link>https://gazette.example.com/b</link><media:content url="/b.png" type="image/png"/></item>
<item><guid>tag:1</guid><title>The same once more</title></item>
<item><guid>tag:3</guid><title></title></item></channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>Atom</title><entry><id>urn:1</id><title type="html">A &lt;i&gt;title&lt;/i&gt;</title>
<link href="https://a.example/1"/><author><name>Ada</name></author><updated>2026-11-23T10:00:00Z</updated>
<content type="html">&lt;p&gt;The whole text.&lt;/p&gt;&lt;script&gt;alert(1)&lt;/script&gt;</content></entry></feed>"""
JSON = {
    "version": "https://jsonfeed.org/version/1.1",
    "title": "Jay",
    "items": [
        {
            "id": 7,
            "url": "/1",
            "title": "One",
            "content_html": "<p>Hello</p><img src='p.gif' width='1'>",
            "tags": ["x"],
        },
        {"id": "8", "content_text": "A note without a title, as microblogs have them.", "authors": [{"name": "Ada"}]},
        "nothing",
    ],
}


def test_rss() -> None:
    feed = read_feed(RSS.encode(), URL)
    first, second = (entry.article for entry in feed.entries)

    assert feed.title == "The Gazette"
    assert (first.headline, first.lede) == ("Quay & trams", "First sentence.")
    assert first.url == "https://gazette.example.com/a"
    assert (first.image_url, first.image_alt) == ("https://gazette.example.com/x.jpg", "A quay")
    assert (first.published_on, first.topics) == (dt.date(2026, 11, 24), ("City",))
    assert second.image_url == "https://gazette.example.com/b.png"


def test_atom() -> None:
    (entry,) = read_feed(ATOM.encode(), URL).entries

    assert (entry.article.headline, entry.article.author) == ("A title", "Ada")
    assert entry.article.text == "A title\n\nThe whole text."
    assert entry.article.published_on == dt.date(2026, 11, 23)


def test_json_feed() -> None:
    first, second = read_feed(json.dumps(JSON).encode(), URL).entries

    assert (first.key, first.article.url, first.article.lede) == ("7", "https://gazette.example.com/1", "Hello")
    assert first.article.image_url == ""
    assert second.article.headline == "A note without a title, as microblogs have them."


@pytest.mark.parametrize(
    ("raw", "content_type", "feed"),
    [
        (RSS.encode(), "text/xml", True),
        (b"\xef\xbb\xbf  " + ATOM.encode(), "", True),
        (json.dumps(JSON).encode(), "application/json", True),
        (b"<html><head></head></html>", "text/html", False),
        (b"<!-- <rss --><html>", "text/html", False),
        (b"{}", "application/json", False),
        (b"", "application/rss+xml", True),
    ],
)
def test_what_is_a_feed(raw: bytes, content_type: str, feed: bool) -> None:
    assert is_feed(raw, content_type) is feed


@pytest.mark.parametrize("raw", [b"", b"<html><title>x</title></html>", b"{", b"{}", b'{"items": 3}', b"\x00\x01"])
def test_what_is_none_is_refused(raw: bytes) -> None:
    with pytest.raises(ArticleError, match="it is no"):
        read_feed(raw, URL)


@pytest.mark.parametrize("raw", [b"http://169.254.169.254/latest", b"/etc/passwd", b"file:///etc/passwd"])
def test_an_address_for_a_feed_is_never_opened(raw: bytes) -> None:
    with pytest.raises(ArticleError, match="it is no"):
        read_feed(raw, URL)


BOMB = '<!ENTITY a "aaaaaaaaaa">' + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("declared", [BOMB, f"<!ENTITY j '{'a' * 10_000}'>"])
def test_entities_that_grow_are_refused(declared: str, encoding: str) -> None:
    feed = RSS.replace('<?xml version="1.0"?>', f'<?xml version="1.0"?><!DOCTYPE x [{declared}]>').replace(
        "City", "&j;"
    )
    with pytest.raises(ArticleError, match="entities that grow"):
        read_feed(feed.encode(encoding), URL)


@pytest.mark.parametrize(
    ("declared", "topics"),
    [
        ('<!ENTITY town "K&#246;ln">', ("Köln",)),
        (
            '<!ENTITY % HTMLlat1 PUBLIC "-//W3C//ENTITIES Latin 1 for XHTML//EN" "http://www.w3.org/x.ent"><!ENTITY town "Ulm">',
            ("Ulm",),
        ),
        (f'<!ENTITY town SYSTEM "{Path(__file__).as_uri()}">', ()),
    ],
)
def test_small_entities_are_read_and_none_is_fetched(declared: str, topics: tuple[str, ...]) -> None:
    feed = RSS.replace('<?xml version="1.0"?>', f'<?xml version="1.0"?><!DOCTYPE x [{declared}]>')
    (first, _) = read_feed(feed.replace("City", "&town;").encode(), URL).entries
    assert first.article.topics == topics


@pytest.mark.skipif(not FEEDS, reason="NEWSDESK_FEEDS names no folder of feeds")
def test_every_feed_of_a_folder_is_read_or_refused() -> None:
    entries = 0
    for file in filter(Path.is_file, Path(FEEDS).rglob("*")):
        with suppress(ArticleError):
            entries += len(read_feed(file.read_bytes(), URL).entries)
    assert entries


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from([*RSS.split("\n"), *ATOM.split("\n"), "<item>", "</item>", "&", "<![CDATA[", "\x00"])))
def test_any_feed_is_read_or_refused(pieces: list[str]) -> None:
    try:
        entries = read_feed("\n".join(pieces).encode(), URL).entries
    except ArticleError:
        return
    assert all(entry.key and entry.article.headline for entry in entries)
