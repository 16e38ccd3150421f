"""One-click unsubscribing (RFC 8058): the two headers that go together."""

from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit


def list_unsubscribe(url: str) -> dict[str, str]:
    """The headers for a reader's own URL, which is one line of ASCII. Never fold them: some clients read one line only.

    One-click is promised only where it can be kept (RFC 8058, § 3.1: the URI is https).
    """
    headers = {"List-Unsubscribe": f"<{url}>"}
    if can_promise_one_click(url):
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return headers


def can_promise_one_click(url: str) -> bool:
    """Whether a URL, or the origin it begins with, may be posted to by a reader's mail provider.

    Plain HTTP is taken on this machine only, where nothing is between: the local SendGrid plays the provider's part.
    """
    path = url.find("/", len("https://"))
    return _is_safe(url if path < 0 else url[:path])


# Every reader of a send has a URL of their own, all with one origin: to take each apart was most of building a request.
@lru_cache(maxsize=64)
def _is_safe(origin: str) -> bool:
    parts = urlsplit(origin)
    return parts.scheme == "https" or (parts.scheme == "http" and _is_this_machine(parts.hostname or ""))


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
