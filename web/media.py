"""Images of editions, as files that can do nothing on the desk's origin."""

from pathlib import PurePosixPath

from django.conf import settings
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.views.static import serve

#: Of a name in a path, in bytes: what file systems hold.
_LONGEST_NAME = 255
#: What a browser shows in place; everything else is saved.
_SHOWN = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"})


def media(request: HttpRequest, path: str) -> HttpResponseBase:
    """A file of the media folder. Raises Http404 where there is none, also for names that no file can have."""
    if "\0" in path or any(len(part.encode()) > _LONGEST_NAME for part in PurePosixPath(path).parts):
        raise Http404
    response = serve(request, path, document_root=str(settings.MEDIA_ROOT))
    # Whatever got there: no script of it runs, and no browser guesses that it is something else.
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    if response.headers.get("Content-Type") not in _SHOWN:
        response.headers["Content-Disposition"] = "attachment"
    return response
