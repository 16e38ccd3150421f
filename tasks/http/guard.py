"""Requests from inside our network to addresses that others chose: only to public ones, within time.

Guarded against server-side request forgery (OWASP SSRF Prevention Cheat Sheet): the name is resolved here, every address it has must be public, the
connection is made to the address that was checked, and each redirect is checked anew by whoever follows it.
"""

import ipaddress
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

import urllib3
from urllib3.exceptions import HTTPError, LocationParseError
from urllib3.util import Url, parse_url

from tasks.http.deadline import CONNECT_TIMEOUT, BodyBegunError, pool_classes

#: Seconds until the answer begins, and as many again for its body.
REQUEST_SECONDS = 10.0
MOST_REDIRECTS = 5
_REDIRECTS = {301, 302, 303, 307, 308}
_POOLS = pool_classes(REQUEST_SECONDS)
_CHUNK = 65536
#: Carries an IPv4 address in its last four bytes (RFC 6052).
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
#: IANA's special-purpose registries have these too, and not every Python knows them or takes them for private.
_SPECIAL = tuple(
    ipaddress.ip_network(network)
    for network in (
        *("192.0.0.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.175.48.0/24"),
        *("64:ff9b:1::/48", "100::/64", "100:0:0:1::/64", "2001::/23", "2001:db8::/32", "2620:4f:8000::/48"),
        *("3fff::/20", "5f00::/16"),
    )
)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class NotAllowedError(Exception):
    """The guard does not let us go there."""


class NoAnswerError(Exception):
    """Nothing answered; `is_certain` when it never will: the name does not exist."""

    def __init__(self, message: str, *, is_certain: bool = False) -> None:
        super().__init__(message)
        self.is_certain = is_certain


def is_public(address: Address) -> bool:
    """Whether the address belongs to the public internet (IANA special-purpose registries).

    An IPv4 address inside an IPv6 one counts as itself.
    """
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        if address.teredo is not None or address.is_site_local:
            return False
    if any(address in network for network in _SPECIAL if network.version == address.version):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


@dataclass(frozen=True, kw_only=True)
class Guard:
    """Where we may connect to."""

    allows: Callable[[Address], bool] = is_public
    ports: frozenset[int] = frozenset({80, 443, 8080, 8443})


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    #: Names in lower case.
    headers: Mapping[str, str]
    body: bytes = b""
    #: The body is longer than what was asked for.
    is_cut: bool = False

    def leads_from(self, url: str) -> str:
        """The address that a request for `url` was redirected to; empty for an answer that is no redirect.

        Raises NoAnswerError for an address that cannot be read.
        """
        location = self.headers.get("location", "")
        try:
            return urljoin(url, location) if location and self.status in _REDIRECTS else ""
        except ValueError as error:
            raise NoAnswerError("it redirects to an unreadable address") from error


def request(method: str, url: str, guard: Guard, *, headers: Mapping[str, str], most_bytes: int = 0) -> Answer:
    """One request, no redirect followed, at most so many bytes of the (unpacked) body read.

    Raises NotAllowedError where the guard forbids it, NoAnswerError with the reason where nothing usable answers.
    """
    try:
        parsed = parse_url(url)
    except LocationParseError as error:
        raise NoAnswerError("the address is unreadable") from error
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise NoAnswerError(f"it leads to “{url[:80]}”")
    host = parsed.host.strip("[]")
    secure: dict[str, Any] = {"server_hostname": host, "assert_hostname": host} if parsed.scheme == "https" else {}
    pool = _POOLS[str(parsed.scheme)](
        _resolved(parsed, guard),
        parsed.port or _port(parsed),
        timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT, read=REQUEST_SECONDS),
        retries=False,
        **secure,
    )
    try:
        answer = pool.urlopen(
            method,
            parsed.request_uri,
            headers={**headers, "Host": parsed.netloc or host, "Connection": "close"},
            redirect=False,
            preload_content=False,
            assert_same_host=False,
        )
        body = _read(answer, most_bytes) if most_bytes else b""
    except (HTTPError, BodyBegunError, OSError, ValueError) as error:
        raise NoAnswerError(_why(error)) from error
    finally:
        pool.close()
    return Answer(
        status=answer.status,
        headers={name.lower(): value for name, value in answer.headers.items()},
        body=body[:most_bytes],
        is_cut=len(body) > most_bytes,
    )


def _read(answer: urllib3.BaseHTTPResponse, most: int) -> bytes:
    ends, body = time.monotonic() + REQUEST_SECONDS, bytearray()
    while len(body) <= most:
        chunk = answer.read1(_CHUNK, decode_content=True)
        if not chunk:
            break
        body += chunk
        if time.monotonic() > ends:
            raise TimeoutError("timed out")
    return bytes(body)


def _resolved(parsed: Url, guard: Guard) -> str:
    host, port = (parsed.host or "").strip("[]"), parsed.port or _port(parsed)
    if port not in guard.ports:
        raise NotAllowedError(host)
    try:
        entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise NoAnswerError(f"there is no server {host}", is_certain=error.errno == socket.EAI_NONAME) from error
    except (OSError, UnicodeError) as error:
        raise NoAnswerError(f"{host} cannot be looked up") from error
    addresses = [str(entry[4][0]) for entry in entries]
    if not addresses or not all(guard.allows(ipaddress.ip_address(one.partition("%")[0])) for one in addresses):
        raise NotAllowedError(host)
    return addresses[0]


def _why(error: BaseException) -> str:
    text = f"{type(error).__name__} {error}"
    if "CERTIFICATE" in text.upper():
        return "its certificate is not valid"
    return "it does not answer in time" if "timed out" in text.lower() else "it does not answer"


def _port(parsed: Url) -> int:
    return 443 if parsed.scheme == "https" else 80
