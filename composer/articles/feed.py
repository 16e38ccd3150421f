"""An RSS, Atom or JSON feed → articles, the newest first. What an entry lacks is left empty, and nothing is made up."""

import datetime as dt
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import feedparser
from lxml import etree
from lxml import html as lxml_html

from composer.articles.article import Article, ArticleError
from composer.articles.markup import absolute, beginning, date_of, plain, text_of
from composer.canonical_url import canonical_url, without_tracking
from composer.sanitising import printable

MOST_ENTRIES = 200
#: Entities that grow: long ones, or made of others (“billion laughs”). Some feeds declare “&nbsp;” or their like, or name a list of them
#: that nobody fetches; both do no harm.
_GROWING_ENTITY = re.compile(
    rb"<!ENTITY\s+(?:%\s+)?[\w.:-]+\s+(?:\"(?:[^\"]{21}|[^\"&]*&[^#])|'(?:[^']{21}|[^'&]*&[^#]))", re.IGNORECASE
)
_CONTENT_TYPES = {"application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml"}


@dataclass(frozen=True, kw_only=True)
class Entry:
    #: What the feed names it by, the same at every poll.
    key: str
    article: Article


@dataclass(frozen=True, kw_only=True)
class Feed:
    title: str
    entries: tuple[Entry, ...]


def is_feed(raw: bytes, content_type: str) -> bool:
    """Whether a download is a feed and no page, by its type and its beginning."""
    if content_type in _CONTENT_TYPES:
        return True
    start = raw[:2000].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"{"):
        return b"jsonfeed.org/version" in start
    lower = start.lower()
    return b"<html" not in lower and any(mark in lower for mark in (b"<rss", b"<feed", b"<rdf:rdf"))


def read_feed(raw: bytes, url: str, *, headers: Mapping[str, str] | None = None) -> Feed:
    """The feed found at `url`. Raises ArticleError for what is no feed."""
    start = raw[:200].lstrip(b"\xef\xbb\xbf \t\r\n")
    feed = _json_feed(raw, url) if start.startswith(b"{") else _xml_feed(raw, url, headers or {})
    keys: set[str] = set()
    entries = []
    for entry in feed.entries:
        if entry.key and entry.key not in keys and entry.article.headline:
            keys.add(entry.key)
            entries.append(entry)
    return Feed(title=feed.title, entries=tuple(entries[:MOST_ENTRIES]))


def _xml_feed(raw: bytes, url: str, headers: Mapping[str, str]) -> Feed:
    if _GROWING_ENTITY.search(raw.replace(b"\0", b"")):  # UTF-16 without its zeros
        raise ArticleError(f"{url}: it declares entities that grow; no feed needs them, so it is not read")
    try:
        # As a file: bytes or text that look like an address or a path would be opened.
        parsed = feedparser.parse(
            BytesIO(raw),
            response_headers={"content-type": headers.get("content-type", ""), "content-location": url},
            # Only text and absolute addresses are taken out of it, by our own sanitiser.
            sanitize_html=False,
            resolve_relative_uris=False,
        )
    except Exception as error:
        raise ArticleError(f"{url}: the feed cannot be read ({type(error).__name__})") from error
    if not parsed.get("version") and not parsed.get("entries"):
        raise ArticleError(f"{url}: it is no RSS or Atom feed")
    return Feed(title=plain(parsed.feed.get("title")), entries=tuple(_xml_entries(parsed, url)))


def _xml_entries(parsed: Any, url: str) -> Iterator[Entry]:
    site = plain(parsed.feed.get("title"))
    for entry in parsed.entries[: 2 * MOST_ENTRIES]:
        link = absolute(entry.get("link"), url)
        content = next((one.get("value", "") for one in entry.get("content", []) if "html" in one.get("type", "")), "")
        summary = entry.get("summary", "") or content
        image, alt = _xml_image(entry, content or summary, link or url)
        moment = entry.get("published_parsed") or entry.get("updated_parsed")
        yield Entry(
            key=str(entry.get("id") or (canonical_url(link) if link else "") or plain(entry.get("title"))),
            article=_article(
                title=plain(entry.get("title")),
                html=summary,
                content=content,
                url=link,
                site=plain(entry.get("source", {}).get("title")) or site,
                author=plain(entry.get("author")),
                published=_date(moment),
                topics=tuple(term for tag in entry.get("tags", []) if (term := plain(tag.get("term")))),
                image=image,
                alt=alt,
            ),
        )


def _xml_image(entry: Any, html: str, base: str) -> tuple[str, str]:
    candidates = [*entry.get("media_content", []), *entry.get("media_thumbnail", [])]
    candidates += [one for one in entry.get("enclosures", []) if str(one.get("type", "")).startswith("image/")]
    for one in candidates:
        if one.get("medium", "image") == "image" and not str(one.get("type", "image")).startswith(("video", "audio")):
            address = absolute(one.get("url") or one.get("href"), base)
            if address:
                return address, ""
    return _image_in(html, base)


def _json_feed(raw: bytes, url: str) -> Feed:
    """JSON Feed 1.1 (jsonfeed.org)."""
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ArticleError(f"{url}: it is no JSON feed; give the address of an RSS, Atom or JSON feed") from error
    items = data.get("items") if isinstance(data, dict) else None
    if not isinstance(items, list) or "jsonfeed.org" not in str(data.get("version", "")):
        raise ArticleError(
            f"{url}: it is no JSON feed: “version” and “items” are missing; does the site have another feed?"
        )
    return Feed(title=plain(data.get("title")), entries=tuple(_json_entries(data, items, url)))


def _json_entries(data: Mapping[str, Any], items: list[Any], url: str) -> Iterator[Entry]:
    for item in items[: 2 * MOST_ENTRIES]:
        if not isinstance(item, dict):
            continue
        link = absolute(item.get("url") or item.get("external_url"), url)
        html = item.get("content_html") if isinstance(item.get("content_html"), str) else ""
        text = plain(item.get("summary") or item.get("content_text"))
        authors = item.get("authors") or data.get("authors") or [item.get("author")]
        names = (
            [plain(one.get("name")) for one in authors if isinstance(one, dict)] if isinstance(authors, list) else []
        )
        image, alt = _image_in(html or "", link or url)
        tags = item.get("tags")
        yield Entry(
            key=str(item.get("id") or link or ""),
            article=_article(
                title=plain(item.get("title")) or beginning(text, 120),
                html=text or html or "",
                content=html or "",
                url=link,
                site=plain(data.get("title")),
                author=", ".join(filter(None, names)),
                published=date_of(item.get("date_published")),
                topics=tuple(map(plain, tags)) if isinstance(tags, list) else (),
                image=absolute(item.get("image") or item.get("banner_image"), url) or image,
                alt=alt,
            ),
        )


def _article(
    *,
    title: str,
    html: str,
    content: str,
    url: str,
    site: str,
    author: str,
    published: dt.date | None,
    topics: tuple[str, ...],
    image: str,
    alt: str,
) -> Article:
    text = text_of(content or html)
    return Article(
        headline=title[:300],
        lede=beginning(text_of(html)),
        url=without_tracking(url) if url else "",
        site=site[:120],
        author=author[:120],
        published_on=published,
        topics=topics[:10],
        image_url=image,
        image_alt=alt[:300],
        text=f"{title}\n\n{text}" if text else "",
    )


def _image_in(html: str, base: str) -> tuple[str, str]:
    if "<img" not in html.lower() or len(html) > 500_000:
        return "", ""
    with suppress(etree.LxmlError, ValueError):
        for image in lxml_html.fromstring(f"<div>{printable(html)}</div>").iter("img"):
            width, address = image.get("width", ""), absolute(image.get("src"), base)
            if address and not (width.isdigit() and int(width) < 100):  # a pixel that counts readers, an icon
                return address, plain(image.get("alt"))
    return "", ""


def _date(moment: Any) -> dt.date | None:
    with suppress(TypeError, ValueError):
        return dt.date(*moment[:3])
    return None
