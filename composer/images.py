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


def permanent(image: Any) -> Picture:
    """The image under an address made of its bytes' SHA-256: it stays when the library's copy is replaced or deleted.

    Raises ImageUnreadable.
    """
    output = BytesIO()
    try:
        Filter(_filter(image)).run(image, output)
    except (OSError, SourceImageIOError) as error:
        raise UnreadableImageError(f"the file of the image “{image.title}” cannot be read; upload it again") from error
    data = output.getvalue()
    with Pillow.open(output) as made:
        width, height = made.size
    name = f"{FOLDER}/{hashlib.sha256(data).hexdigest()}{'.png' if _is_lossless(image) else '.jpg'}"
    _keep(name, data)
    return Picture(url=_absolute(default_storage.url(name)), width=width, height=height, weight=len(data))


def _is_lossless(image: Any) -> bool:
    return PurePath(image.file.name).suffix.lower() in _LOSSLESS


def _filter(image: Any) -> str:
    form = "format-png" if _is_lossless(image) else "format-jpeg|jpegquality-82"
    return f"max-{_WIDTH}x{_HEIGHT}|{form}"


def _keep(name: str, data: bytes) -> None:
    if default_storage.exists(name):
        return
    saved = default_storage.save(name, ContentFile(data))
    if saved != name:  # another approval wrote the same bytes first
        default_storage.delete(saved)


def _absolute(url: str) -> str:
    return url if "://" in url else settings.BASE_URL + url
