"""Following one link as a reader would, from inside our network: only to public addresses, within time, reading nothing.

Guarded against server-side request forgery (OWASP): the name is resolved here, every address it has must be public, the
connection is made to the address that was looked at, and each redirect is looked at anew.
"""

import ipaddress
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

import urllib3
from urllib3.exceptions import HTTPError, LocationParseError
from urllib3.util import Url, parse_url

from composer.checks import LinkReport
from tasks.http.deadline import CONNECT_TIMEOUT, BodyBegunError, pool_classes

#: Seconds for one request, and how many redirects are followed.
REQUEST_SECONDS = 10.0
MOST_REDIRECTS = 5
_POOLS = pool_classes(REQUEST_SECONDS)
_HEADERS = {"User-Agent": "Mozilla/5.0 (compatible; Newsdesk link check)", "Accept": "*/*", "Connection": "close"}
_REDIRECTS, _PERMANENT = {301, 302, 303, 307, 308}, {301, 308}
#: Carries an IPv4 address in its last four bytes (RFC 6052).
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_public(address: Address) -> bool:
    """Whether the address belongs to the public internet: not loopback, private, link-local, multicast or reserved."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        if address.teredo is not None or address.is_site_local:
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


@dataclass(frozen=True, kw_only=True)
class Guard:
    """Where we may connect to."""

    allows: Callable[[Address], bool] = is_public
    ports: frozenset[int] = frozenset({80, 443, 8080, 8443})


class _RefusedError(Exception):
    """The guard does not let us go there."""


class _FailedError(Exception):
    """Nothing answered; `surely` when the name does not exist."""

    def __init__(self, message: str, *, surely: bool = False) -> None:
        super().__init__(message)
        self.surely = surely


def follow(link: str, guard: Guard = Guard()) -> LinkReport:
    """Follow the link to its end. Raises nothing: whatever happens is a report."""
    url, permanent = link, True
    try:
        for _ in range(MOST_REDIRECTS + 1):
            status, location = _asked(url, guard)
            if status not in _REDIRECTS or not location:
                return _report(link, url, status, permanent=permanent)
            url, permanent = urljoin(url, location), permanent and status in _PERMANENT
    except _RefusedError:
        return LinkReport(outcome="private", target="" if url == link else url)
    except _FailedError as failure:
        return LinkReport(outcome="broken" if failure.surely else "unclear", error=str(failure)[:200])
    return LinkReport(outcome="unclear", error="too many redirects")


def _report(link: str, url: str, status: int, *, permanent: bool) -> LinkReport:
    target = "" if url == link else url
    if 200 <= status < 300:
        return LinkReport(outcome="moved" if target and permanent else "answered", status=status, target=target)
    return LinkReport(outcome="broken" if status in {404, 410} else "unclear", status=status, target=target)


def _asked(url: str, guard: Guard) -> tuple[int, str]:
    """Status and Location. Some servers know no HEAD, or turn it away: what they say to GET counts."""
    try:
        parsed = parse_url(url)
    except LocationParseError as error:
        raise _FailedError("the address is unreadable") from error
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise _FailedError(f"it leads to “{url[:80]}”")
    address = _looked_up(parsed, guard)
    status, location = _request("HEAD", parsed, address)
    return (status, location) if status < 400 else _request("GET", parsed, address)


def _looked_up(parsed: Url, guard: Guard) -> str:
    host, port = (parsed.host or "").strip("[]"), parsed.port or _port(parsed)
    if port not in guard.ports:
        raise _RefusedError(host)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise _FailedError(f"there is no server {host}", surely=error.errno == socket.EAI_NONAME) from error
    except (OSError, UnicodeError) as error:
        raise _FailedError(f"{host} cannot be looked up") from error
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses or not all(guard.allows(ipaddress.ip_address(one.partition("%")[0])) for one in addresses):
        raise _RefusedError(host)
    return addresses[0]


def _request(method: str, parsed: Url, address: str) -> tuple[int, str]:
    host = (parsed.host or "").strip("[]")
    secure: dict[str, Any] = {"server_hostname": host, "assert_hostname": host} if parsed.scheme == "https" else {}
    pool = _POOLS[str(parsed.scheme)](
        address,
        parsed.port or _port(parsed),
        timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT, read=REQUEST_SECONDS),
        retries=False,
        **secure,
    )
    try:
        answer = pool.urlopen(
            method,
            parsed.request_uri,
            headers={**_HEADERS, "Host": parsed.netloc or host},
            redirect=False,
            preload_content=False,
            assert_same_host=False,
        )
        # Its body, however long, is never read.
        return answer.status, answer.headers.get("Location", "")
    except (HTTPError, BodyBegunError, OSError, ValueError) as error:
        raise _FailedError(_why(error)) from error
    finally:
        pool.close()


def _why(error: BaseException) -> str:
    text = f"{type(error).__name__} {error}"
    if "CERTIFICATE" in text.upper():
        return "its certificate is not valid"
    return "it does not answer in time" if "timed out" in text.lower() else "it does not answer"


def _port(parsed: Url) -> int:
    return 443 if parsed.scheme == "https" else 80
