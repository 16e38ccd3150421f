"""One-click unsubscribing is promised only where a provider's POST arrives unread and unchanged."""

import pytest

from composer.list_unsubscribe import can_promise_one_click, list_unsubscribe


@pytest.mark.parametrize(
    "url",
    [
        "https://news.example.com/u/abc",
        "http://127.0.0.1:8000/u/abc",
        "http://127.1.2.3/u/abc",
        "http://[::1]:8000/u/abc",
        "http://localhost:8000/u/abc",
    ],
)
def test_https_and_this_machine_have_both_headers(url: str) -> None:
    assert list_unsubscribe(url) == {
        "List-Unsubscribe": f"<{url}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


@pytest.mark.parametrize(
    "url",
    [
        "http://news.example.com/u/abc",
        "http://192.168.0.7:8000/u/abc",
        "http://localhost.example.com/u/abc",
        "ftp://127.0.0.1/u/abc",
    ],
)
def test_plain_http_elsewhere_promises_no_one_click(url: str) -> None:
    assert list_unsubscribe(url) == {"List-Unsubscribe": f"<{url}>"}
    assert not can_promise_one_click(url)
