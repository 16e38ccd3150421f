"""Bodies of requests that machines post: read up to a limit, and refused so that the other side hears of it."""

import io
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from django.http.request import UnreadablePostError
from gunicorn.http.errors import ParseException

_PIECE = 64 * 1024
#: Bytes of a body that are kept in memory; a larger one goes to the disk.
MOST_IN_MEMORY = 128 * 1024
#: What is thrown away of a body that is too large, in bytes and seconds. A server that answers and closes while bytes
#: still come resets the connection, and the answer is lost with it.
_MOST_DISCARDED = 64 * 1024 * 1024
_PATIENCE = 20.0


def _look_away(_body: BinaryIO) -> None:
    pass


@contextmanager
def body_on_disk(
    request: HttpRequest, most: int, *, look_at_too_large: Callable[[BinaryIO], object] = _look_away
) -> Iterator[BinaryIO]:
    """The body as a file, also one sent in chunks (RFC 9112 § 7.1), which Django takes for empty; gone afterwards.

    A large one lies in the system's folder for temporary files: many that come at once must not cost as much memory. Raises RequestDataTooBig beyond
    `most` bytes, after throwing the rest away piece by piece, UnreadablePostError, and OSError when there is no room.
    `look_at_too_large` is given the whole of such a body to read through once before.
    """
    length = request.META.get("CONTENT_LENGTH") or ""
    stream = _stream(request)
    with SpooledTemporaryFile(MOST_IN_MEMORY) as file:
        kept = cast(BinaryIO, file)
        piece, left = b"", most
        is_too_large = length.isdecimal() and int(length) > most
        while not is_too_large and (piece := _read(stream)):
            left -= len(piece)
            is_too_large = left < 0
            if not is_too_large:
                file.write(piece)
        file.seek(0)
        if is_too_large:
            rest = _Rest(stream)
            look_at_too_large(cast(BinaryIO, _TooLarge(kept, piece, rest)))
            rest.discard()
            raise RequestDataTooBig(f"The body has more than {most} bytes.")
        yield kept


class _Rest:
    """What still comes of a body that is too large; so many bytes and seconds of it are read."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._until, self._left = time.monotonic() + _PATIENCE, _MOST_DISCARDED

    def read(self) -> bytes:
        """The next piece; nothing at the end, however it ends."""
        if self._left <= 0 or time.monotonic() >= self._until:
            return b""
        try:
            piece = _read(self._stream)
        except UnreadablePostError:
            return b""
        self._left -= len(piece)
        return piece

    def discard(self) -> None:
        while self.read():
            pass


class _TooLarge(io.RawIOBase):
    """The whole of a body that is too large: what was kept of it, the piece at which it became so, and the rest. To be read once, in any pieces."""

    def __init__(self, kept: BinaryIO, piece: bytes, rest: _Rest) -> None:
        super().__init__()
        self._kept, self._piece, self._rest = kept, piece, rest

    def seek(self, _offset: int, _whence: int = io.SEEK_SET) -> int:
        """It is at its beginning until it is read."""
        return 0

    def read(self, size: int = -1) -> bytes:
        """A piece, however long."""
        if piece := self._kept.read(size):
            return piece
        piece, self._piece = self._piece, b""
        return piece or self._rest.read()


def discard(stream: Any) -> None:
    """Read what still comes, and keep nothing of it."""
    _Rest(stream).discard()


def _stream(request: HttpRequest) -> Any:
    """Gunicorn ends its input where the body ends (`wsgi.input_terminated`), Django's own where Content-Length says."""
    is_chunked = "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower()
    if is_chunked and request.META.get("wsgi.input_terminated"):
        return request.META["wsgi.input"]
    return request


def _read(stream: Any) -> bytes:
    try:
        piece: bytes = stream.read(_PIECE)
    except (OSError, ParseException) as error:
        raise UnreadablePostError(*error.args) from error
    return piece
