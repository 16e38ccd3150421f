"""Every link can be followed, as far as its spelling tells; nothing is fetched here."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from composer.checks.context import CheckContext, Problem
from composer.sanitising import followable

_HOST = re.compile(r"(?!-)[\w-]+(?:\.[\w-]+)+\.?|localhost|\[[0-9a-f:.]+\]", re.IGNORECASE)
#: A Newsdesk on the editor's own machine: there is nothing to encrypt.
_LOOPBACK = re.compile(r"http://(?:127\.0\.0\.1|localhost|\[::1\])(?=[:/]|$)", re.IGNORECASE)
_TAG = re.compile(r"-nd[A-Z]\w*-")


def check(context: CheckContext) -> Iterator[Problem]:
    for text in context.texts:
        if text.kind == "url" and not followable(text.source):
            message = f"the link “{text.source[:120]}” cannot work: it does not begin with https://"
            yield Problem(level="error", code="link.invalid", message=message, where=text.where)
    for link in context.page.xpath("//a[not(@href)]"):
        shown = " ".join(link.text_content().split())[:60]
        yield _problem(
            "error", "link.no_address", f"the link on “{shown}” has no usable address; write it as https://…"
        )
    targets = set(context.page.xpath("//@id"))
    for link in dict.fromkeys(context.page.xpath("//a/@href")):
        if _TAG.fullmatch(link):
            continue
        if link.startswith("#"):
            if link[1:] not in targets:
                yield _problem("error", "link.no_target", f"the link “{link}” leads to nothing in this mail")
        elif fault := _fault(link):
            yield _problem("error", "link.invalid", f"the link “{link[:120]}” cannot work: {fault}")
        elif link.lower().startswith("http:") and not _LOOPBACK.match(link):
            yield _problem(
                "warning", "link.insecure", f"the link “{link[:120]}” is not encrypted; use https if you can"
            )


def _problem(level: str, code: str, message: str) -> Problem:
    return Problem(level="error" if level == "error" else "warning", code=code, message=message)


def _fault(link: str) -> str:
    try:
        parts = urlsplit(link)
        port_fits = parts.port is None or parts.port > 0
    except ValueError as error:
        return str(error)
    if re.search(r"\s", link):
        return "it has a space in it"
    if parts.scheme == "mailto":
        return "" if "@" in parts.path or _TAG.search(parts.path) else "it names no address"
    if parts.scheme == "tel":
        return "" if parts.path else "it names no number"
    if parts.scheme not in {"http", "https"}:
        return "it does not begin with https://"
    host = parts.hostname or ""
    return (
        ""
        if port_fits and (_HOST.fullmatch(host) or _HOST.fullmatch(f"[{host}]"))
        else "it has no host like example.com"
    )
