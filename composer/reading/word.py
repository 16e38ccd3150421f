"""A Word file (.docx) to blocks, by way of the HTML that mammoth makes of it. Lines are its paragraphs."""

import re
import zipfile
from dataclasses import replace
from io import BytesIO

import mammoth

from composer.reading import html
from composer.reading.document import Document
from composer.reading.errors import DigestError

#: Bytes of all that the file unpacks to: a small file may hold gigabytes of nothing.
MAX_UNPACKED = 50_000_000
_BLOCK_END = re.compile(r"(</(?:p|h[1-6]|li|tr)>)")


def read(raw: bytes) -> Document:
    """Raises DigestError where it is no Word file."""
    try:
        with zipfile.ZipFile(BytesIO(raw)) as archive:
            names = set(archive.namelist())
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise DigestError(1, f"a broken archive: {error}; save the document again") from error
    if "word/document.xml" not in names:
        raise DigestError(1, "an archive that is no Word document; give the document itself")
    if unpacked > MAX_UNPACKED:
        raise DigestError(1, f"the document unpacks to {unpacked:,} bytes; at most {MAX_UNPACKED:,} are read")
    try:
        made = mammoth.convert_to_html(BytesIO(raw), convert_image=mammoth.images.img_element(_no_image))
    except Exception as error:
        raise DigestError(1, f"the Word document cannot be read: {error}; save it again") from error
    document = html.read(_BLOCK_END.sub(r"\1\n", made.value))
    return replace(document, format="docx")


def _no_image(image: object) -> dict[str, str]:
    """Images stay in the file; the report names them."""
    return {"src": "word-image:", "alt": getattr(image, "alt_text", None) or ""}
