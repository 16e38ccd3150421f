"""A link's text tells where it leads, also out of its sentence: screen readers list links by themselves."""

import re
from collections.abc import Iterator

from composer.checks.checked import Checked, Problem

_GENERIC = re.compile(
    r"(?:click|tap|press)(?: here)?|here|(?:read |learn |see |find out )?more|this|this link|link|continue|details",
    re.IGNORECASE,
)
_CLICK_HERE = re.compile(r"\b(?:click|tap) here\b", re.IGNORECASE)


def check(checked: Checked) -> Iterator[Problem]:
    for text in checked.texts:
        if _CLICK_HERE.search(text.text):
            message = "“click here” says nothing of where it leads; name what the reader finds there"
            yield Problem(level="warning", code="link.click_here", message=message, where=text.where)
    for link in checked.page.xpath("//a[@href]"):
        shown = " ".join(link.text_content().split()).strip(" .…→»")
        if not shown and not link.xpath(".//img[@alt!='']"):
            message = f"the link to {link.get('href')[:80]} has no text"
            yield Problem(level="error", code="link.no_text", message=message)
        elif _GENERIC.fullmatch(shown) and not _CLICK_HERE.search(shown):
            message = f"the link text “{shown}” says nothing of where it leads; name what the reader finds there"
            yield Problem(level="warning", code="link.generic_text", message=message)
