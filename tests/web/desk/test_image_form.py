"""What is kept of an upload is its picture, and nothing that stood beside it."""

from io import BytesIO
from typing import Any

import PIL.Image as Pillow
import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile

from web.desk.image_form import PictureField


def made(kind: str, **options: Any) -> bytes:
    written = BytesIO()
    Pillow.new("RGB", (40, 30), "navy").save(written, kind, **options)
    return written.getvalue()


def taken(name: str, content: bytes) -> bytes:
    file = PictureField().clean(SimpleUploadedFile(name, content, "image/png"))
    file.seek(0)
    return bytes(file.read())


@pytest.mark.parametrize(("kind", "name"), [("PNG", "a.png"), ("JPEG", "a.jpg"), ("GIF", "a.gif"), ("WEBP", "a.webp")])
def test_a_picture_stays_a_picture(kind: str, name: str) -> None:
    with Pillow.open(BytesIO(taken(name, made(kind)))) as opened:
        assert (opened.format, opened.size) == (kind, (40, 30))


def test_places_and_cameras_are_left_out_and_the_picture_is_turned() -> None:
    exif = Pillow.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "where the informant lives"
    content = made("JPEG", exif=exif)
    assert b"informant" in content

    written = taken("a.jpg", content)
    assert b"informant" not in written
    with Pillow.open(BytesIO(written)) as opened:
        assert opened.size == (30, 40)


def test_moving_pictures_move() -> None:
    frames = [Pillow.new("RGB", (40, 30), colour) for colour in ("red", "green", "blue")]
    written = BytesIO()
    frames[0].save(written, "GIF", save_all=True, append_images=frames[1:], duration=100)

    with Pillow.open(BytesIO(taken("a.gif", written.getvalue()))) as opened:
        assert opened.is_animated  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", ["GIF", "JPEG"])
def test_what_stands_behind_the_end_is_gone(kind: str) -> None:
    assert b"<script>" not in taken(f"a.{kind.lower()}", made(kind) + b"<script>alert(1)</script>")


@pytest.mark.parametrize(
    "content", [made("PNG") + b"<script>", made("PNG")[:-30], b"GIF89a", b"\x89PNG\r\n\x1a\n", b"<svg/>"]
)
def test_what_is_none_is_refused(content: bytes) -> None:
    with pytest.raises(ValidationError):
        taken("a.png", content)
