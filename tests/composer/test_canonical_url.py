"""One form for all spellings of a page's address."""

import time

import pytest

from composer.canonical_url import canonical_url, without_tracking

STORY = "https://example.com/2026/11/night-trams"


@pytest.mark.parametrize(
    "written",
    [
        "http://example.com/2026/11/night-trams",
        "https://www.example.com/2026/11/night-trams/",
        " HTTPS://Example.COM:443/2026/11/night-trams#comments",
        "//example.com/2026/11/night-trams",
        "https://m.example.com/2026/11/night-trams",
        "https://mobile.example.com/2026/11/night-trams?m=1",
        "https://amp.example.com/2026/11/night-trams",
        "https://example.com/2026/11/night-trams/amp/",
        "https://example.com/amp/2026/11/night-trams",
        "https://example.com/2026/11/night-trams?outputType=amp",
        "https://www.google.com/amp/s/www.example.com/2026/11/night-trams",
        "https://www-example-com.cdn.ampproject.org/c/s/www.example.com/2026/11/night-trams?amp=1",
        "https://example.com/2026/11/night-trams?utm_source=mail&utm_medium=x&fbclid=abc&mc_cid=1&gclid=2",
        "https://example.com/2026/11/night%2Dtrams",
        "https://example.com/2026/11/night-trams/index.html",
        "https://example.com./2026/11/night-trams",
    ],
)
def test_spellings_of_one_page(written: str) -> None:
    assert canonical_url(written) == STORY


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("https://example.com/a?id=1&page=2", "https://example.com/a?page=2&id=1&utm_term=x"),
        ("https://example.com/a.amp.html", "https://example.com/a.html"),
        ("https://bücher.example/a", "https://xn--bcher-kva.example/a"),
        ("https://example.com/caf%c3%a9", "https://example.com/café"),
        ("https://en.m.wikipedia.org/wiki/Tram", "https://en.wikipedia.org/wiki/Tram"),
        ("https://example.com", "https://example.com/"),
    ],
)
def test_more_spellings(first: str, second: str) -> None:
    assert canonical_url(first) == canonical_url(second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("https://www.youtube.com/watch?v=dQw4w9WgXcQ", "https://www.youtube.com/watch?v=dqw4w9wgxcq"),
        ("https://example.com/a?id=1", "https://example.com/a?id=2"),
        ("https://example.com/a", "https://example.com/b"),
        ("https://news.example.com/a", "https://example.com/a"),
        ("https://m.de/a", "https://de/a"),
        ("https://example.com/#!/one", "https://example.com/#!/two"),
        ("https://example.com:8080/a", "https://example.com/a"),
        ("https://example.com/camp", "https://example.com/c"),
    ],
)
def test_different_pages(first: str, second: str) -> None:
    assert canonical_url(first) != canonical_url(second)


@pytest.mark.parametrize(
    "text", ["", "mailto:a@example.com", "javascript:alert(1)", "http://", "http://[::1", "not a link"]
)
def test_what_is_no_web_address_stays(text: str) -> None:
    assert canonical_url(text) == without_tracking(text) == text


@pytest.mark.parametrize("url", [STORY, "https://EXAMPLE.com/a/?b=%2F&utm_x=1#c", "http://[2001:db8::1]:80/a"])
def test_it_is_its_own_canonical_form(url: str) -> None:
    assert canonical_url(canonical_url(url)) == canonical_url(url)


def test_an_address_to_open_keeps_its_form() -> None:
    written = "http://m.example.com/a/?b=%2F&utm_source=mail&c=1#top"

    assert without_tracking(written) == "http://m.example.com/a/?b=%2F&c=1"
    assert without_tracking("https://www.google.com/amp/s/example.com/a?x=1") == "https://example.com/a?x=1"


@pytest.mark.parametrize("part", ["/amp", "&utm_=", "%", "m.", "?", "/c/s/"])
def test_hostile_addresses_take_no_time(part: str) -> None:
    began = time.perf_counter()
    canonical_url("https://www.google.com/amp/s/" + part * 500_000)
    canonical_url("https://x.cdn.ampproject.org/c/s/a.b" + part * 500_000)

    assert time.perf_counter() - began < 1
