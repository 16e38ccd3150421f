"""Every merge tag is one of ours, has a value for every reader, and none is left unresolved in the output."""

import re
from collections.abc import Iterator

from composer.checks.context import CheckContext, Problem
from composer.entities import unescape
from composer.merge_tags import NAMES, WEB_URL, tags_in, translate, unknown_tags

_LEFT = re.compile(r"\{\{[^{}]{0,60}\}\}|\{%|%\}|\*\|\w+\|\*|-nd[A-Z]\w*-")


def check(context: CheckContext) -> Iterator[Problem]:
    reported: set[str] = set()
    for text in context.texts:
        for unknown in unknown_tags(text.text):
            reported.add(unknown.written)
            yield Problem(level="error", code="tags.unknown", message=unknown.message, where=text.where)
        for tag in translate(text.text, "text")[1]:
            if tag.field in NAMES and not tag.default:
                message = (
                    f'{{{{ {tag.field} }}}} is empty for readers without a name; add a default: | default: "reader"'
                )
                yield Problem(level="warning", code="tags.no_default", message=message, where=text.where)
    yield from _left(context, reported)


def _left(context: CheckContext, reported: set[str]) -> Iterator[Problem]:
    rendering = context.rendering
    known = {tag.token for tag in rendering.tags} - {WEB_URL}
    for where, part in (("subject", rendering.subject), ("HTML part", rendering.html), ("text part", rendering.text)):
        for left in dict.fromkeys(_LEFT.findall(part)):
            if left == WEB_URL:
                message = "{{ web_url }} is used, but the edition has no public address"
                yield Problem(level="error", code="tags.web_url", message=message, where=where)
            elif left not in known and unescape(left) not in reported:
                message = f"“{left}” would be sent as it stands; it is no merge tag of ours"
                yield Problem(level="error", code="tags.unresolved", message=message, where=where)
    if set(rendering.tags) != set(tags_in(rendering.html, rendering.text, rendering.subject)):
        message = "the list of merge tags does not match the rendered parts; render again"
        yield Problem(level="error", code="tags.stale", message=message)
