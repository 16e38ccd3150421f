"""What following the links over the network gave. Without an answer a link counts as not checked, never as good.

All of it is warnings: a page may go online with the mail, and some servers turn robots away.
"""

from collections.abc import Iterator
from urllib.parse import urlsplit

from lxml import html as lxml_html

from composer.checks.context import CheckContext, Problem
from composer.checks.external_facts import LinkReport
from composer.entities import unescape
from composer.rendering.result import Rendering

_NAMED = 3


def links_to_check(rendering: Rendering, *, web_url: str = "") -> tuple[str, ...]:
    """The web addresses in the mail that somebody could follow today, in reading order, each once.

    Not the reader's own links, and not the edition's own page (it is not there before the edition goes out).
    """
    page = lxml_html.document_fromstring(rendering.html.encode(), parser=lxml_html.HTMLParser(encoding="utf-8"))
    return _links(page.xpath("//a/@href"), web_url)


def _links(urls: list[str], web_url: str) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(
            link
            for link in urls
            if link.lower().startswith(("http://", "https://")) and "-nd" not in link and link != web_url
        )
    )


def check(context: CheckContext) -> Iterator[Problem]:
    reports = context.facts.links
    if reports is None:
        return
    unchecked = []
    for link in _links(context.page.xpath("//a/@href"), context.content.web_url):
        if link in reports:
            yield from _said(link, reports[link], _where(context, link))
        else:
            unchecked.append(link)
    if unchecked:
        shown = ", ".join(link[:80] for link in unchecked[:_NAMED])
        more = f" and {len(unchecked) - _NAMED} more" if len(unchecked) > _NAMED else ""
        message = f"not checked yet whether it works: {shown}{more}; check again in a minute, or follow it yourself"
        where = _where(context, unchecked[0])
        yield Problem(level="warning", code="link.not_checked", message=message, where=where)


def _where(context: CheckContext, link: str) -> str:
    """The first place where the editor wrote this link; empty for what the theme or the publication brings."""
    written = (text.where for text in context.texts if link in unescape(text.source))
    return next(written, "")


def _said(link: str, report: LinkReport, where: str) -> Iterator[Problem]:
    shown = link[:120]
    if report.outcome == "broken":
        why = f"the server answers {report.status}" if report.status else report.error or "there is no such server"
        yield _warning(where, "link.broken", f"the link “{shown}” is broken: {why}; mend it or take it out")
    elif report.outcome == "private":
        yield _warning(
            where, "link.private", f"the link “{shown}” leads into a private network; readers cannot follow it"
        )
    elif report.outcome == "unclear":
        why = f"the server answers {report.status}" if report.status else report.error or "no answer"
        yield _warning(
            where, "link.unclear", f"whether the link “{shown}” works cannot be told ({why}); follow it yourself"
        )
    elif report.outcome == "moved":
        yield _warning(
            where, "link.redirects", f"the link “{shown}” has moved to {report.target[:160]}; use that address"
        )
    if report.target and urlsplit(report.target).scheme == "http" and link.lower().startswith("https:"):
        yield _warning(
            where, "link.insecure", f"the link “{shown}” ends at {report.target[:160]}, which is not encrypted"
        )


def _warning(where: str, code: str, message: str) -> Problem:
    return Problem(level="warning", code=code, message=message, where=where)
