"""Pictures from elsewhere into Wagtail's image library: checked, turned upright, at most 1200 pixels wide, each once."""

import warnings
from io import BytesIO
from typing import Any

from django.core.files.base import ContentFile
from PIL import Image as Pillow
from PIL import ImageOps
from wagtail.images import get_image_model

from newsdesk.core.errors import InputError

MOST_BYTES = 10_000_000
MOST_PIXELS = 40_000_000
WIDTH = 1200
_FORMATS = ("JPEG", "PNG", "GIF", "WEBP")


class UnusableImageError(InputError, ValueError):
    """It is no picture that a mail could show; the message says why."""


def stored(raw: bytes, title: str) -> Any:
    """The library's image of these bytes; one with the same bytes is taken again. Raises UnusableImageError.

    Written anew from its pixels: whatever else the file held (a script, a place, a camera's serial number) is gone.
    """
    content, suffix = _rewritten(raw)
    image = get_image_model()(title=title[:255] or "Picture", file=ContentFile(content, name=f"story{suffix}"))
    image._set_file_hash()  # noqa: SLF001 - Wagtail offers no other way to know it before the file is saved
    known = get_image_model().objects.filter(file_hash=image.file_hash).first()
    if known is not None:
        return known
    image.save()
    return image


def _refuse_too_large(picture: Pillow.Image) -> None:
    if picture.width * picture.height > MOST_PIXELS:
        raise UnusableImageError(f"the picture has {picture.width} × {picture.height} pixels: too many")


def _rewritten(raw: bytes) -> tuple[bytes, str]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Pillow.DecompressionBombWarning)
            with Pillow.open(BytesIO(raw), formats=_FORMATS) as opened:
                _refuse_too_large(opened)
                upright = ImageOps.exif_transpose(opened)
                has_alpha = upright.mode in {"RGBA", "LA", "PA"} or "transparency" in upright.info
                picture = upright.convert("RGBA" if has_alpha else "RGB")
    except UnusableImageError:
        raise
    except (OSError, ValueError, SyntaxError, Pillow.DecompressionBombError, Pillow.DecompressionBombWarning) as error:
        raise UnusableImageError("it is no JPEG, PNG, GIF or WebP picture, or a broken one") from error
    if picture.width > WIDTH:
        picture = picture.resize((WIDTH, max(1, picture.height * WIDTH // picture.width)))
    output = BytesIO()
    if has_alpha:
        picture.save(output, "PNG", optimize=True)
    else:
        picture.save(output, "JPEG", quality=85)
    return output.getvalue(), ".png" if has_alpha else ".jpg"
