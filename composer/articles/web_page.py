"""A news page → an article: Open Graph and JSON-LD where the publisher says it, trafilatura where it must be found."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from charset_normalizer import from_bytes
from lxml import etree
from lxml import html as lxml_html

from composer.articles.article import Article, ArticleError
from composer.articles.markup import absolute, beginning, date_of, first_of, plain
from composer.canonical_url import without_tracking
from composer.sanitising import printable

#: Of schema.org: whatever is written and has a headline.
_TYPES = re.compile(
    r"(?:News|Blog|Report|Analysis|Opinion|Review|Tech|Scholarly|Background|Live)?(?:Article|Posting|BlogPosting)"
)
_CHARSET = re.compile(rb"<meta[^>]{0,200}charset=[\"']?([\w-]{2,30})", re.IGNORECASE)


def web_article(page: bytes, url: str, *, charset: str = "") -> Article:
    """`url` is where the page was found, `charset` what its HTTP header says. Raises ArticleError."""
    text = _without_loose_comments(printable(_decoded(page, charset)))
    tree = _parsed(text)
    metas, linked = _metas(tree), _linked_data(tree)
    found = _extracted(text, url)
    site = first_of(
        metas.get("og:site_name"), _name_of(linked.get("publisher")), found.sitename, urlsplit(url).hostname
    )
    headline = first_of(
        linked.get("headline"),
        metas.get("og:title"),
        metas.get("twitter:title"),
        found.title,
        tree.findtext(".//title"),
    )
    headline = _without_site(headline, site)
    if not headline:
        raise ArticleError(f"{url}: the page has no title; is it an article?")
    body = (found.text or "").strip()
    lede = first_of(linked.get("description"), metas.get("og:description"), metas.get("description"))
    image, alt = _image(tree, metas, linked, url)
    return Article(
        headline=headline[:300],
        lede=lede or beginning(body),
        url=_canonical(tree, metas, url),
        site=site[:120],
        author=first_of(_names_of(linked.get("author")), metas.get("author"), found.author)[:120],
        published_on=date_of(linked.get("datePublished"), metas.get("article:published_time"), found.date),
        image_url=image,
        image_alt=alt[:300],
        text=f"{headline}\n\n{body}" if body else "",
    )


def _decoded(page: bytes, charset: str) -> str:
    declared = _CHARSET.search(page[:4096])
    for name in (charset, declared[1].decode() if declared else "", "utf-8"):
        # What calls itself Latin-1 is read as Windows-1252 (WHATWG Encoding, 4.2).
        known = "cp1252" if name.lower() in {"iso-8859-1", "latin1", "us-ascii"} else name
        with suppress(LookupError, UnicodeDecodeError):
            if known:
                return page.decode(known)
    guess = from_bytes(page[:100_000]).best()
    return page.decode(guess.encoding if guess else "utf-8", "replace")


def _without_loose_comments(text: str) -> str:
    """Of comments that nothing ends only the first: each of them makes the extraction look through all the rest."""
    whole, end, rest = text.rpartition("-->")
    begin = rest.find("<!--") + len("<!--")
    return whole + end + rest[:begin] + rest[begin:].replace("<!--", "") if begin > 3 else text


def _parsed(text: str) -> Any:
    parser = lxml_html.HTMLParser(encoding="utf-8", huge_tree=False)
    try:
        return lxml_html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except (etree.LxmlError, ValueError) as error:
        raise ArticleError("the page is empty, or no HTML") from error


def _extracted(text: str, url: str) -> Any:
    from trafilatura import bare_extraction  # noqa: PLC0415 - a second of imports, for those who take in pages
    from trafilatura.settings import Document  # noqa: PLC0415

    try:
        return bare_extraction(text, url=url, with_metadata=True, include_comments=False) or Document()
    except (ValueError, TypeError, AttributeError, LookupError, RecursionError, etree.LxmlError):
        # A page it cannot digest may still say of itself what is needed.
        return Document()


def _metas(tree: Any) -> dict[str, str]:
    """The page's meta elements by name or property; the first of each counts."""
    metas: dict[str, str] = {}
    for meta in tree.iter("meta"):
        name, content = (meta.get("property") or meta.get("name") or "").lower().strip(), plain(meta.get("content"))
        if name and content:
            metas.setdefault(name, content)
    return metas


def _linked_data(tree: Any) -> Mapping[str, Any]:
    """The first article of the page's JSON-LD (schema.org)."""
    for script in tree.xpath("//script[@type='application/ld+json']"):
        with suppress(ValueError, RecursionError):
            for thing in _things(json.loads(script.text or "", strict=False)):
                kinds = thing.get("@type")
                kinds = kinds if isinstance(kinds, list) else [kinds]
                if any(isinstance(kind, str) and _TYPES.fullmatch(kind) for kind in kinds):
                    return thing
    return {}


def _things(data: Any) -> Iterator[dict[str, Any]]:
    if isinstance(data, list):
        for each in data:
            yield from _things(each)
    elif isinstance(data, dict):
        yield data
        yield from _things(data.get("@graph", []))
        yield from _things(data.get("mainEntity", []))


def _name_of(thing: Any) -> str:
    return plain(thing.get("name") if isinstance(thing, dict) else thing)


def _names_of(things: Any) -> str:
    return ", ".join(name for one in (things if isinstance(things, list) else [things]) if (name := _name_of(one)))


def _image(tree: Any, metas: Mapping[str, str], linked: Mapping[str, Any], url: str) -> tuple[str, str]:
    """Its address, "" for none, and the text that the page has for it."""
    image = linked.get("image")
    image = image[0] if isinstance(image, list) and image else image
    alt = plain(image.get("caption") or image.get("description")) if isinstance(image, dict) else ""
    image = image.get("url") or image.get("contentUrl") if isinstance(image, dict) else image
    found = first_of(metas.get("og:image:secure_url"), metas.get("og:image"), image, metas.get("twitter:image"))
    address = absolute(found, url)
    alt = first_of(metas.get("og:image:alt"), metas.get("twitter:image:alt"), alt, _alt_on_page(tree, address))
    return address, alt if address else ""


def _alt_on_page(tree: Any, address: str) -> str:
    name = urlsplit(address).path.rpartition("/")[2]
    if not name:
        return ""
    return next((plain(one.get("alt")) for one in tree.iter("img") if name in one.get("src", "")), "")


def _canonical(tree: Any, metas: Mapping[str, str], url: str) -> str:
    """What the page says of itself, unless it names no page of its own, such as the site's front page."""
    named = [link.get("href", "") for link in tree.xpath("//link[translate(@rel, 'CANOIL', 'canoil')='canonical']")]
    for candidate in (*named, metas.get("og:url", "")):
        address = absolute(candidate, url)
        parts = urlsplit(address)
        if address and (parts.path.strip("/") or parts.query or not urlsplit(url).path.strip("/")):
            return without_tracking(address)
    return without_tracking(url)


def _without_site(headline: str, site: str) -> str:
    """“Quay closes | The Gazette” without the name of the paper."""
    if not site:
        return headline
    return re.sub(rf"\s+[|·•–—-]\s+{re.escape(site)}\s*\Z", "", headline, flags=re.IGNORECASE)
