"""Bodies of requests that machines post: read up to a limit, and refused so that the other side hears of it."""

import time
from io import BytesIO
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from django.http.request import UnreadablePostError
from gunicorn.http.errors import ParseException

_PIECE = 64 * 1024
#: What is thrown away of a body that is too large, in bytes and seconds. A server that answers and closes while bytes
#: still come resets the connection, and the answer is lost with it.
_MOST_DISCARDED = 64 * 1024 * 1024
_PATIENCE = 20.0


def whole_body(request: HttpRequest, most: int) -> bytes:
    """The body, also one sent in chunks (RFC 9112 § 7.1), which Django takes for empty.

    Raises RequestDataTooBig beyond `most` bytes, after throwing the rest away piece by piece, and UnreadablePostError.
    """
    length = request.META.get("CONTENT_LENGTH") or ""
    stream = _stream(request)
    if length.isdecimal() and int(length) > most:
        discard(stream)
        raise RequestDataTooBig(f"The body has more than {most} bytes.")
    body = BytesIO()
    while piece := _read(stream):
        body.write(piece)
        if body.tell() > most:
            body.close()
            discard(stream)
            raise RequestDataTooBig(f"The body has more than {most} bytes.")
    return body.getvalue()


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
