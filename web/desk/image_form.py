"""Images are taken when they can be read to their end, and written anew: nothing but their picture is kept."""

from io import BytesIO
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image as Pillow
from PIL import ImageOps
from wagtail.images.fields import WagtailImageField
from wagtail.images.forms import BaseImageForm

#: What Pillow and Wagtail raise for a file that is none of the kinds its name and first bytes pretend.
_UNREADABLE = (
    OSError,
    SyntaxError,
    ValueError,
    KeyError,
    IndexError,
    OverflowError,
    EOFError,
    TypeError,
    AttributeError,
)
#: The last chunk of a PNG (its specification, 11.2.5).
_END_OF_PNG = b"IEND\xaeB`\x82"
_ORIENTATION = 0x0112


class PictureField(WagtailImageField):
    def to_python(self, data: Any) -> Any:
        """The picture written anew, without what stood beside it: places and cameras, or a page behind its end."""
        try:
            found = super().to_python(data)
            if found is None:
                return None
            found.seek(0)
            written = _written_anew(found.read())
            kind = str(getattr(found, "content_type", "") or "")
            return super().to_python(SimpleUploadedFile(found.name, written, kind))
        except ValidationError:
            raise
        except (*_UNREADABLE, Pillow.DecompressionBombError) as error:
            raise ValidationError(
                "This file cannot be read as a picture: save it as PNG, JPEG, GIF or WebP, and choose it again.",
                code="invalid_image",
            ) from error


def _written_anew(content: bytes) -> bytes:
    """Raises what Pillow raises, and ValueError for a PNG that goes on behind its end."""
    with Pillow.open(BytesIO(content)) as opened:
        kind = opened.format or ""
        if kind == "PNG" and not content.endswith(_END_OF_PNG):
            raise ValueError("there is something behind its end")
        options: dict[str, Any] = {"icc_profile": opened.info.get("icc_profile")}
        picture: Pillow.Image = opened
        if getattr(opened, "is_animated", False):
            options["save_all"] = True
        elif opened.getexif().get(_ORIENTATION, 1) != 1:
            # The file said that it is to be turned.
            picture = ImageOps.exif_transpose(opened)
            options["quality"] = 92
        elif kind == "JPEG":
            options["quality"] = "keep"
        if kind == "WEBP":
            options.setdefault("quality", 92)
        opened.load()
        written = BytesIO()
        picture.save(written, kind, **options)
    return written.getvalue()


class ImageForm(BaseImageForm):
    """Wagtail makes its forms of images from this one (WAGTAILIMAGES_IMAGE_FORM_BASE)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Wagtail chooses the field by the model's; only what it does with the bytes is ours.
        if type(self.fields.get("file")) is WagtailImageField:
            self.fields["file"].__class__ = PictureField
