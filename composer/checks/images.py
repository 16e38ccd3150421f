"""Images that every mail client shows, and that say what they show."""

import re
from collections.abc import Iterator

from composer.checks.checked import Checked, Problem
from composer.content import Image

_GENERIC = re.compile(
    r"(?:an? |the )?(?:image|photo|photograph|picture|graphic|logo|banner|screenshot|untitled|img|dsc)[\s_\-\d]*",
    re.IGNORECASE,
)
_FILE_NAME = re.compile(r"\S+\.(?:jpe?g|png|gif|webp|svg)", re.IGNORECASE)
_UNSHOWN = re.compile(r"\.(?:svg|webp|avif)(?:[?#]|$)", re.IGNORECASE)


def check(checked: Checked) -> Iterator[Problem]:
    for where, image in checked.images:
        yield from _alt(where, image.alt.strip())
        yield from _address(where, image)


def _alt(where: str, alt: str) -> Iterator[Problem]:
    if not alt:
        message = "the image has no alternative text; say in a few words what it shows"
        yield Problem(level="error", code="image.no_alt", message=message, where=where)
    elif _GENERIC.fullmatch(alt) or _FILE_NAME.fullmatch(alt):
        message = f"the alternative text “{alt}” says nothing; say what the image shows"
        yield Problem(level="warning", code="image.generic_alt", message=message, where=where)


def _address(where: str, image: Image) -> Iterator[Problem]:
    if not image.url.startswith(("https://", "http://")):
        message = f"the image's address “{image.url[:80]}” is not a full URL; readers would not see it"
        yield Problem(level="error", code="image.bad_url", message=message, where=where)
    elif _UNSHOWN.search(image.url):
        message = "many mail clients do not show SVG, WebP or AVIF; use a JPEG or PNG"
        yield Problem(level="warning", code="image.format", message=message, where=where)
