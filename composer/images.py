"""Images for mail: 1200 pixels wide at most, JPEG or PNG, at an address that never changes its bytes.

Mail clients show neither WebP nor AVIF nor SVG, and a mail lies in an inbox for years: the address names the bytes.
"""

import hashlib
from dataclasses import dataclass
from io import BytesIO
from pathlib import PurePath
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image as Pillow
from wagtail.images.models import Filter, SourceImageIOError

from newsdesk.core.errors import InputError

FOLDER = "mail"
_WIDTH, _HEIGHT = 1200, 3600
#: Seconds; an image whose file is replaced gets another file name.
_REMEMBERED = 3600
#: Drawings and logos keep their sharp edges; everything else is a photograph.
_LOSSLESS = {".png", ".gif"}


@dataclass(frozen=True, kw_only=True)
class Picture:
    url: str
    width: int
    height: int
    #: Bytes.
    weight: int = 0


class UnreadableImageError(InputError, ValueError):
    """The library knows the image, but its file is gone or broken; the message names it."""


def preview(image: Any) -> Picture | None:
    """The same picture as `permanent` gives, remembered for a while; None if the image's file is gone.

    Wagtail's renditions would do, but each leaves an open temporary file to the garbage collector.
    """
    remembered = f"mail-picture:{image.file.name}"
    picture: Picture | None = cache.get(remembered)
    if picture is None:
        try:
            picture = permanent(image)
        except UnreadableImageError:
            return None
        cache.set(remembered, picture, _REMEMBERED)
    return picture


def thumbnail(image: Any) -> str:
    """The address of the image at 144 × 96 pixels, for lists; remembered. Empty if the image's file is gone."""
    remembered = f"thumbnail:{image.file.name}"
    url: str | None = cache.get(remembered)
    if url is None:
        try:
            url = _kept(image, f"fill-144x96|{_format(image)}")[0]
        except UnreadableImageError:
            return ""
        cache.set(remembered, url, _REMEMBERED)
    return url


def permanent(image: Any) -> Picture:
    """The image under an address made of its bytes' SHA-256: it stays when the library's copy is replaced or deleted.

    Raises UnreadableImageError.
    """
    url, data = _kept(image, f"max-{_WIDTH}x{_HEIGHT}|{_format(image)}")
    with Pillow.open(BytesIO(data)) as made:
        width, height = made.size
    return Picture(url=url, width=width, height=height, weight=len(data))


def _kept(image: Any, spec: str) -> tuple[str, bytes]:
    """The image as Wagtail's filter makes it: the address it is kept under, and its bytes. Raises UnreadableImageError."""
    output = BytesIO()
    try:
        Filter(spec).run(image, output)
    except (OSError, SourceImageIOError) as error:
        raise UnreadableImageError(f"the file of the image “{image.title}” cannot be read; upload it again") from error
    data = output.getvalue()
    name = f"{FOLDER}/{hashlib.sha256(data).hexdigest()}{'.png' if _is_lossless(image) else '.jpg'}"
    _keep(name, data)
    return _absolute(default_storage.url(name)), data


def _is_lossless(image: Any) -> bool:
    return PurePath(image.file.name).suffix.lower() in _LOSSLESS


def _format(image: Any) -> str:
    return "format-png" if _is_lossless(image) else "format-jpeg|jpegquality-82"


def _keep(name: str, data: bytes) -> None:
    if default_storage.exists(name):
        return
    saved = default_storage.save(name, ContentFile(data))
    if saved != name:  # another approval wrote the same bytes first
        default_storage.delete(saved)


def _absolute(url: str) -> str:
    return url if "://" in url else settings.BASE_URL + url
