"""Bodies of requests that machines post: read up to a limit, and refused so that the other side hears of it."""

import time
from collections.abc import Iterator
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


@contextmanager
def body_on_disk(request: HttpRequest, most: int) -> Iterator[BinaryIO]:
    """The body as a file, also one sent in chunks (RFC 9112 § 7.1), which Django takes for empty; gone afterwards.

    A large one lies in the system's folder for temporary files: many that come at once must not cost as much memory. Raises RequestDataTooBig beyond
    `most` bytes, after throwing the rest away piece by piece, UnreadablePostError, and OSError when there is no room.
    """
    with SpooledTemporaryFile(MOST_IN_MEMORY) as file:
        for piece in _pieces(request, most):
            file.write(piece)
        file.seek(0)
        yield cast(BinaryIO, file)


def _pieces(request: HttpRequest, most: int) -> Iterator[bytes]:
    length = request.META.get("CONTENT_LENGTH") or ""
    stream = _stream(request)
    left = most
    is_too_large = length.isdecimal() and int(length) > most
    while not is_too_large and (piece := _read(stream)):
        left -= len(piece)
        is_too_large = left < 0
        if not is_too_large:
            yield piece
    if is_too_large:
        discard(stream)
        raise RequestDataTooBig(f"The body has more than {most} bytes.")


def discard(stream: Any) -> None:
    """Read what still comes, and keep nothing of it."""
    until, left = time.monotonic() + _PATIENCE, _MOST_DISCARDED
    try:
        while left > 0 and time.monotonic() < until and (piece := _read(stream)):
            left -= len(piece)
    except UnreadablePostError:
        return


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
