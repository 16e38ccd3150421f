"""Images that every mail client shows, and that say what they show."""

import re
from collections.abc import Iterator

from composer.checks.context import CheckContext, Problem
from composer.content import Image

_GENERIC = re.compile(
    r"(?:an? |the )?(?:image|photo|photograph|picture|graphic|logo|banner|screenshot|untitled|img|dsc)[\s_\-\d]*",
    re.IGNORECASE,
)
_FILE_NAME = re.compile(r"\S+\.(?:jpe?g|png|gif|webp|svg)", re.IGNORECASE)
#: Bytes of one image, and of all of them, above which a phone on the road waits.
HEAVY, HEAVY_TOGETHER = 500_000, 2_000_000
#: Pixels: narrower than this an image is blurred where it is shown across the mail; wider or higher is wasted.
NARROW, WIDE, HIGH = 528, 2400, 3600
#: Times the width: higher than this it no longer fits a phone's screen at full width.
TALL = 1.5
_UNSHOWN = re.compile(r"\.(?:svg|webp|avif)(?:[?#]|$)", re.IGNORECASE)


def check(context: CheckContext) -> Iterator[Problem]:
    for where, image in context.images:
        yield from _alt(where, image.alt.strip())
        yield from _address(where, image)
        yield from _size(where, image)
    together = sum(image.weight for image in {image.url: image for _, image in context.images}.values())
    if together > HEAVY_TOGETHER:
        message = f"the images weigh {together / 1e6:.1f} MB together; make them smaller, or take some out"
        yield Problem(level="warning", code="images.heavy", message=message)


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
    elif image.url.startswith("http://"):
        message = "the image's address is not encrypted; some mail clients do not show it: use https"
        yield Problem(level="warning", code="image.insecure", message=message, where=where)


def _size(where: str, image: Image) -> Iterator[Problem]:
    if image.weight > HEAVY:
        message = (
            f"the image weighs {image.weight / 1000:,.0f} KB; save it smaller, as a JPEG: {HEAVY // 1000} KB will do"
        )
        yield Problem(level="warning", code="image.heavy", message=message, where=where)
    if 0 < image.width < NARROW:
        message = f"the image is {image.width} pixels wide; it is shown small or blurred: 1200 are sharp everywhere"
        yield Problem(level="warning", code="image.narrow", message=message, where=where)
    if image.width and image.height > TALL * image.width:
        message = f"the image is {image.width} × {image.height} pixels, a tall strip; it is shown narrow: crop it"
        yield Problem(level="warning", code="image.tall", message=message, where=where)
    if image.width > WIDE or image.height > HIGH:
        message = f"the image has {image.width} × {image.height} pixels; 1200 across are enough: make it smaller"
        yield Problem(level="warning", code="image.large", message=message, where=where)
