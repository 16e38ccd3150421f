"""News pages as publishers write them: what each says of itself comes first, and nothing hostile breaks in."""

import datetime as dt
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from composer.articles.article import ArticleError
from composer.articles.web_page import web_article

URL = "https://m.gazette.example.com/news/quay?utm_source=mail"
BODY = """<nav><a href="/">Home</a> <a href="/sport">Sport</a></nav><article><h1>Quay road closes to cars</h1>
<p>The city council has voted nine to four to close the quay road to through traffic from the first of May, leaving it to trams.</p>
<p>The trial is to last eighteen months and costs 2.4 million. Shopkeepers fear for their trade, as a survey of March had shown.</p>
<img src="/img/quay.jpg?w=600" alt="The quay at dusk"></article><footer>Imprint. All rights reserved.</footer>"""


def page(head: str, body: str = BODY) -> bytes:
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">{head}</head><body>{body}</body></html>'.encode()
    )


def test_json_ld_comes_first() -> None:
    article = web_article(
        page(
            """<title>Quay road closes | The Gazette</title><meta property="og:title" content="Quay!">
            <script type="application/ld+json">{"@graph":[{"@type":"WebSite"},{"@type":["NewsArticle"],
            "headline":"Quay road closes &amp; trams stay","author":[{"name":"Ada Quill"},{"name":"Bo Lind"}],
            "publisher":{"name":"The Gazette"},"datePublished":"2026-11-20T08:00:00Z",
            "image":[{"url":"/img/quay.jpg","caption":"Dusk"}],"description":"Nine to four."}]}</script>
            <link rel="canonical" href="https://gazette.example.com/news/quay?fbclid=1">"""
        ),
        URL,
    )

    assert article.headline == "Quay road closes & trams stay"
    assert (article.author, article.site) == ("Ada Quill, Bo Lind", "The Gazette")
    assert article.published_on == dt.date(2026, 11, 20)
    assert article.lede == "Nine to four."
    assert article.url == "https://gazette.example.com/news/quay"
    assert (article.image_url, article.image_alt) == ("https://m.gazette.example.com/img/quay.jpg", "Dusk")
    assert "eighteen months" in article.text
    assert "Imprint" not in article.text
    assert "Home" not in article.text


def test_open_graph_comes_next() -> None:
    article = web_article(
        page(
            '<title>x</title><meta property="og:title" content="Quay road closes - The Gazette">'
            '<meta property="og:site_name" content="The Gazette"><meta property="og:description" content="Nine to four.">'
            '<meta property="og:image" content="//img.example.com/quay.jpg">'
            '<meta property="article:published_time" content="2026-11-19T23:00:00+01:00">'
        ),
        URL,
    )

    assert (article.headline, article.lede) == ("Quay road closes", "Nine to four.")
    assert article.image_url == "https://img.example.com/quay.jpg"
    assert article.image_alt == "The quay at dusk"
    assert article.published_on == dt.date(2026, 11, 19)


def test_a_bare_page_gives_what_it_has() -> None:
    article = web_article(page("<title>Quay road closes to cars</title>"), URL)

    assert article.headline == "Quay road closes to cars"
    assert article.lede.startswith("The city council has voted nine to four")
    assert article.url == "https://m.gazette.example.com/news/quay"
    assert article.site == "m.gazette.example.com"
    assert article.image_url == ""


def test_the_front_page_is_no_canonical_address_of_an_article() -> None:
    article = web_article(page('<title>A</title><link rel="canonical" href="https://gazette.example.com/">'), URL)
    assert article.url == "https://m.gazette.example.com/news/quay"


@pytest.mark.parametrize(
    ("raw", "charset", "headline"),
    [
        ("<title>Kaistraße gesperrt</title>".encode("latin-1"), "iso-8859-1", "Kaistraße gesperrt"),
        ('<meta charset="windows-1250"><title>Ulica zamknięta</title>'.encode("cp1250"), "", "Ulica zamknięta"),
        ("<title>腾讯发布新模型</title>".encode("gb18030"), "gb2312", "腾讯发布新模型"),
        ("<title>Кольцо</title>".encode(), "no-such-charset", "Кольцо"),
    ],
)
def test_encodings(raw: bytes, charset: str, headline: str) -> None:
    assert web_article(raw, URL, charset=charset).headline == headline


@pytest.mark.parametrize("raw", [b"", b" ", b"<html></html>", b"<p>No title at all</p>"])
def test_what_is_no_article_is_refused_with_the_address(raw: bytes) -> None:
    with pytest.raises(ArticleError):
        web_article(raw, URL)


@pytest.mark.parametrize(
    "head",
    [
        '<script type="application/ld+json">' + "[" * 3000 + "</script>",
        '<script type="application/ld+json">{"@type":"NewsArticle","headline":{"a":1},"author":7,"image":[[]]}</script>',
        '<meta property="og:image" content="javascript:alert(1)">',
        '<meta property="og:image" content="http://[::1">',
        '<link rel="canonical" href="javascript:alert(1)">',
    ],
)
def test_hostile_heads_do_no_harm(head: str) -> None:
    article = web_article(page(f"<title>Quay</title>{head}"), URL)

    assert article.headline == "Quay road closes to cars"
    assert article.url.startswith("https://")
    assert not article.image_url


def test_comments_that_nothing_ends_are_read_in_linear_time() -> None:
    def seconds(count: int) -> float:
        began = time.process_time()
        web_article(page("<title>Quay</title>") + b"<!-- one --><p>two</p>" + b"<!--" * count, URL)
        return time.process_time() - began

    assert any(seconds(20_000) <= 3 * seconds(10_000) + 0.1 for _ in range(3))


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet='<>/="' + "abc metaitle script&#; og:", max_size=200))
def test_any_page_is_read_or_refused(text: str) -> None:
    try:
        assert web_article(page(text, text), URL).headline
    except ArticleError:
        return
