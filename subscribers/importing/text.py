"""A file of unknown encoding as text. Bytes that cannot be read become lone surrogates: their rows are refused."""

import codecs
import io
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from newsdesk.core.errors import InputError
from subscribers.importing import encodings

_CHUNK = 1 << 20
_SAMPLE = 64_000
#: So many characters of UTF-8 are no accident.
_ENOUGH = 1000
_BEYOND = re.compile(r"[^\x00-\x7f]")
_STRAY = re.compile(r"[\udc80-\udcff]")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@contextmanager
def opened(file: Path | BinaryIO) -> Iterator[BinaryIO]:
    """The file's bytes, which can be read twice. Raises InputError when it cannot be read."""
    if not isinstance(file, Path):
        with _seekable(file) as seekable:
            yield seekable
        return
    try:
        binary = file.open("rb")
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror or error}.") from error
    with binary, _seekable(binary) as seekable:
        yield seekable


@contextmanager
def as_text(binary: BinaryIO, named: str) -> Iterator[io.TextIOWrapper]:
    """The text, with its line ends as they are, in the named encoding or the one that is found. Raises InputError."""
    encoding = _checked(named) if named else _encoding(binary)
    binary.seek(0)
    errors = "replace" if encoding.startswith("utf-16") else "surrogateescape"
    text = io.TextIOWrapper(binary, encoding=encoding, errors=errors, newline="")
    try:
        yield text
    finally:
        text.detach()


def _checked(named: str) -> str:
    try:
        found = codecs.lookup(named)
    except LookupError:
        raise InputError(f"--encoding: there is no encoding {named[:40]!r}.") from None
    if not found._is_text_encoding:  # noqa: SLF001 - as open() itself asks
        raise InputError(f"--encoding: {named[:40]!r} is no encoding of text.")
    return "utf-8-sig" if found.name == "utf-8" else found.name


@contextmanager
def _seekable(binary: BinaryIO) -> Iterator[BinaryIO]:
    """The file itself, or a copy of what comes through a pipe: it is read twice."""
    if binary.seekable():
        yield binary
        return
    with tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(binary, copy, _CHUNK)
        yield copy


def _encoding(binary: BinaryIO) -> str:
    binary.seek(0)
    head = binary.read(64)
    binary.seek(0)
    for bom, name in _BOMS:
        if head.startswith(bom):
            return name
    # Text in Latin letters has a NUL in every other byte of UTF-16, and none in any other encoding.
    if len(head) >= 4 and head[1::2].count(0) > len(head) // 3:
        return "utf-16-le"
    if len(head) >= 4 and head[0::2].count(0) > len(head) // 3:
        return "utf-16-be"
    if not _is_old(binary):
        return "utf-8"
    found, candidates = encodings.guess(_sample(binary))
    if not found:
        may_be = f"; it may be {' or '.join(candidates[:3])}" if candidates else ""
        raise InputError(
            f"the file is not UTF-8, and not certainly anything else{may_be}: name its encoding with --encoding."
        )
    return found


def _sample(binary: BinaryIO) -> bytes:
    """The first lines that hold other bytes than ASCII's."""
    lines: list[bytes] = []
    size = 0
    # A file without line ends must not be read whole.
    while size < _SAMPLE and (line := binary.readline(_SAMPLE)):
        if not line.isascii():
            lines.append(line)
            size += len(line)
    binary.seek(0)
    return b"".join(lines)


def _is_old(binary: BinaryIO) -> bool:
    """Bytes beyond ASCII that are mostly no UTF-8.

    In a file that holds both, UTF-8 was meant and the other rows are broken; but a pair of other bytes may look like it.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    broken = good = 0
    while good < _ENOUGH:
        chunk = binary.read(_CHUNK)
        text = decoder.decode(chunk, final=not chunk)
        if not text.isascii():
            stray = len(_STRAY.findall(text))
            broken += stray
            good += len(_BEYOND.findall(text)) - stray
        if not chunk:
            break
    binary.seek(0)
    return broken > 3 * good
