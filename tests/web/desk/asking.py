"""Requests that nobody's browser makes: any address, any method, any parameters, cookies and types, from a seed."""

import json
import re
from html import unescape
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote, urlencode

from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.signals import got_request_exception
from django.db import transaction
from django.test import Client
from django.urls import URLResolver, get_resolver

from tests.web.desk.test_every_address import Address

METHODS = (
    "GET",
    "GET",
    "GET",
    "POST",
    "POST",
    "POST",
    "POST",
    "HEAD",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "BREW",
)
TYPES = ("application/json", "text/plain", "application/octet-stream", "multipart/form-data", "multipart/form-data; boundary=",
         "application/x-www-form-urlencoded; charset=utf-7", "application/x-www-form-urlencoded; charset=nonsense", "", "/")  # fmt: skip
VALUES = (
    "", " ", "\0", "a\0b", "\ud800", "x\udfff", "\ufffe", "0", "-1", "1", "2", "9" * 400, str(2**31), str(2**63), str(-(2**63) - 1), "1e999",
    "nan", "١٢", "1.5", "é" * 3000, "x" * 100_000, "../../etc/passwd", "%00", "%", "%zz", "{}", "[]", "null", "true", '"x"', "[" * 5000,
    '{"a":' * 2000, "[[1,2],[3]]", '[{"type":"story","value":{}}]', "2026-13-45", "0001-01-01", "9999-12-31T23:59", "99999-01-01T00:00",
    "0001-01-01T00:00:00+14:00", "-ndEmail-", "{{", "{{ first_name", "javascript:alert(1)", "http://[", "https://[::1", "https://a..b/",
    "on", "\r\nX: y", "'\"--", "<b>", "</textarea><script>", "variant-abc", "variant-0", "html", "text", "earliest", "latest", "id", "-id",
    "00000000-0000-0000-0000-000000000000", "en", "Europe/Berlin", "../", "a@b", "a@b.example", "@", "#", "#zzz", "#12", "٢٠٢٦-٠١-٠١",
)  # fmt: skip
NAMES = (
    "mode", "p", "q", "page", "ordering", "next", "id", "ids", "title", "content-count", "url", "per_page", "export", "filters", "in_preview_panel",
    "_w_filter_fragment", "publication", "topic", "source", "status", "month", "year", "from", "to", "list", "segment", "slot", "action-publish",
    "multiple", "format", "term", "show_locale_labels", "select_format", "search", "created_at_from", "created_at_to", "user", "object_id", "k", "token",
    "link_text", "external-link-chooser-url", "email-link-chooser-email_address", "email-link-chooser-subject", "date", "before", "lists", "reason",
    "overwrite_revision_id", "loaded_revision_id", "loaded_revision_created_at", "is_editing", "text", "file", "key", "code", "email", "subject", "to",
)  # fmt: skip
_CASES = Path(__file__).parent / "files"
_FIELD = re.compile(r"<(?:input|select|textarea)\b[^>]*>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r'\b(name|value)="([^"]*)"')


def routes() -> list[str]:
    """Every address that Newsdesk answers, as Django writes them."""

    def walk(resolver: Any, route: str = "") -> Any:
        for pattern in resolver.url_patterns:
            here = route + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from walk(pattern, here)
            else:
                yield here

    found = sorted(set(walk(get_resolver())))
    # What is closed answers 404 to everybody, as test_every_address shows: one in forty of those is enough.
    closed = [route for route in found if route.startswith("desk/") and Address(route, "").is_closed]
    return [route for route in found if route not in closed] + closed[::40]


class Asker:
    """Asks one request after the other; `failures` are those whose answer was our fault."""

    def __init__(self, seed: int, ids: list[str]) -> None:
        self.random = Random(seed)
        self.ids = ids
        self.routes = routes()
        self.failures: dict[str, str] = {}
        self._error = ""
        got_request_exception.connect(self._note, weak=False)

    def close(self) -> None:
        got_request_exception.disconnect(self._note)

    def ask(self, client: Client) -> int:
        method, path = self.random.choice(METHODS), self._path()
        if self.random.random() < 0.5:
            path += "?" + self._encoded(self._some(NAMES))
        self._error = ""
        headers = self._headers()
        with transaction.atomic():
            answer = self._send(client, method, path, headers)
            if answer.streaming:
                b"".join(answer.streaming_content)
            transaction.set_rollback(True)
        if answer.status_code >= 500 and answer.status_code != 503:
            self.failures.setdefault(self._error or f"{answer.status_code}", f"{method} {path[:300]}")
        return int(answer.status_code)

    def _note(self, **_kwargs: Any) -> None:
        import sys
        import traceback

        error = sys.exc_info()[1]
        assert error is not None
        frames = traceback.extract_tb(error.__traceback__)
        ours = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames][-3:]
        self._error = f"{type(error).__name__}: {str(error)[:150]} at {' '.join(ours)}"

    def _send(self, client: Client, method: str, path: str, headers: dict[str, str]) -> Any:
        if method not in {"POST", "PUT", "PATCH"}:
            return client.generic(method, path, headers=headers)
        kind = self.random.random()
        if kind < 0.25:
            body, content_type = self._odd_body(), self.random.choice(TYPES)
        elif kind < 0.35:
            return client.post(path, self._upload(), headers=headers)
        else:
            shown = client.get(path.partition("?")[0])
            own = fields_of(shown.content.decode(errors="replace")) if not shown.streaming else {}
            body, content_type = self._encoded(self._changed(own)).encode(), "application/x-www-form-urlencoded"
        return client.generic(method, path, body, content_type, headers=headers)

    def _path(self) -> str:
        route = self.random.choice(self.routes).replace("^", "").replace(r"\Z", "").rstrip("$").replace("/?", "/")
        route = re.sub(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)", r"<str:\1>", route)
        return "/" + re.sub(r"<(?:(\w+):)?(\w+)>", lambda match: self._part(match[1]), route)

    def _part(self, converter: str | None) -> str:
        if converter == "int" or self.random.random() < 0.6:
            return self.random.choice(
                [*self.ids, *self.ids, *self.ids, "0", "999999", str(2**31), str(2**63), "9" * 60]
            )
        return quote(self.random.choice(VALUES)[:3000].encode("utf-8", "surrogatepass"), safe="") or "x"

    def _some(self, names: tuple[str, ...]) -> dict[str, str]:
        return {self.random.choice(names): self._value() for _ in range(self.random.randint(1, 4))}

    def _value(self) -> str:
        return self.random.choice([*VALUES, *self.ids, *self.ids])

    def _changed(self, own: dict[str, str]) -> dict[str, str]:
        """The page's own form with a few fields missing, added or with nonsense in them."""
        changed = dict(own)
        for _ in range(self.random.randint(0, 3)):
            name = self.random.choice([*own] or [*NAMES])
            if self.random.random() < 0.35:
                changed.pop(name, None)
            else:
                changed[name] = self._value()
        if self.random.random() < 0.3:
            changed |= self._some(NAMES)
        return changed

    def _encoded(self, fields: dict[str, str]) -> str:
        return urlencode({name: value.encode("utf-8", "surrogatepass") for name, value in fields.items()})

    def _odd_body(self) -> bytes:
        kind = self.random.randint(0, 3)
        if kind == 0:
            return self.random.randbytes(200)
        if kind == 1:
            return json.dumps(self._some(NAMES)).encode()
        if kind == 2:
            return b'{"x":"\\ud800","a":["\\u0000"]}'
        return self._value().encode("utf-8", "surrogatepass")

    def _upload(self) -> dict[str, Any]:
        name = self.random.choice(
            ["html.gif", "svg.png", "poly.png", "x.svg", "x" * 300 + ".png", "a\0.png", "nothing.png", "x.jpg", "..png"]
        )
        file = _CASES / name.partition("\0")[0] if "\0" not in name and len(name) < 99 else None
        content = (
            file.read_bytes()
            if file and file.is_file()
            else self.random.choice([b"", b"\x89PNG\r\n\x1a\n", b"GIF89a" + b"\xff" * 50])
        )
        upload = SimpleUploadedFile("x", content, "image/png")
        upload._name = name
        given = BytesIO(content)
        given.name = name
        return {
            self.random.choice(["file", "files[]", "image-chooser-upload-file", "email"]): given,
            "title": self._value()[:500].replace("\ud800", "").replace("\udfff", ""),
        }

    def _headers(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        if self.random.random() < 0.4:
            headers["x-requested-with"] = "XMLHttpRequest"
        if self.random.random() < 0.1:
            headers["accept-language"] = self.random.choice(["xx", "x" * 5000, "de;q=nan", "*"])
        if self.random.random() < 0.1:
            headers["referer"] = self.random.choice(["http://[", "x" * 5000, "javascript:1"])
        if self.random.random() < 0.05:
            headers["host"] = self.random.choice(["", "a b", "[::1", "x" * 300, "a:99999"])
        if self.random.random() < 0.05:
            headers["if-modified-since"] = self.random.choice(["nonsense", "Thu, 01 Jan 99999 00:00:00 GMT"])
        return headers


def fields_of(html: str) -> dict[str, str]:
    """The fields of a page's forms, roughly: what a person would post who changed nothing."""
    found: dict[str, str] = {}
    for field in _FIELD.findall(html):
        attributes = dict(_ATTRIBUTE.findall(field))
        if "name" in attributes and attributes["name"] != "csrfmiddlewaretoken":
            found[unescape(attributes["name"])] = unescape(attributes.get("value", ""))
    return found
