"""What no form of ours sends is the caller's fault: it gets 400 or 405, never a trace in the log."""

from collections.abc import Callable, Mapping

import structlog
from django.core.exceptions import ValidationError
from django.db import DataError
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.utils.datastructures import MultiValueDictKeyError
from modelsearch.backends.base import FieldError

log = structlog.get_logger(__name__)

#: Django's views for deleting take DELETE as well, past every question that a POST is asked before.
_DESK_METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS"})
#: Methods that some address takes; TRACE, which repeats a request's cookies in its answer, is none.
_METHODS = _DESK_METHODS | {"PUT", "PATCH", "DELETE"}
#: A form without a field that it must have, or that no check stopped; a number or time that no column holds; characters
#: that are none; an order or a filter that no listing has.
_THEIRS = (MultiValueDictKeyError, ValidationError, DataError, UnicodeEncodeError, FieldError)
#: What Python says of numbers of thousands of digits and of addresses that are none, the database of NUL, and Django of
#: an id that is no number.
_THEIR_WORDS = (
    "NUL (0x00)",
    "integer string conversion",
    "Invalid IPv6 URL",
    "ManagementForm",
    "expected a number but got",
)
_NEEDED = {"wagtailadmin_choose_page_external_link": "external-link-chooser-url"}
_DISMISSIBLES = "/desk/dismissibles/"


class BadRequests:
    """Refuses methods and characters that nothing here takes, and answers for data that no field or column can hold."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        is_of_the_desk = request.path.startswith("/desk/") and request.path != _DISMISSIBLES
        if request.method not in (_DESK_METHODS if is_of_the_desk else _METHODS):
            return HttpResponseNotAllowed(sorted(_DESK_METHODS))
        # No text of PostgreSQL holds it.
        if "\0" in request.META.get("QUERY_STRING", "") or "%00" in request.META.get("QUERY_STRING", ""):
            return _bad()
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """400 where the data is at fault; None leaves it to Django, which says 500."""
        if not _is_theirs(exception):
            return None
        log.warning("bad_request", path=request.path[:200], error=f"{type(exception).__name__}: {exception}"[:200])
        return _bad(*(exception.messages if isinstance(exception, ValidationError) else ()))

    def process_view(
        self, request: HttpRequest, _view: object, _arguments: object, _named: Mapping[str, object]
    ) -> HttpResponse | None:
        """400 for forms of Wagtail's that fail where their one field is not there at all; None goes on."""
        match = request.resolver_match
        needed = _NEEDED.get(match.view_name) if match and request.method == "POST" else None
        return _bad() if needed and needed not in request.POST else None


def _is_theirs(exception: Exception) -> bool:
    return isinstance(exception, _THEIRS) or (
        isinstance(exception, ValueError) and any(words in str(exception) for words in _THEIR_WORDS)
    )


def _bad(*reasons: str) -> HttpResponse:
    said = "".join(f"{reason}\n" for reason in reasons[:10])
    return HttpResponseBadRequest(
        f"This request is not complete or cannot be read: go back, load the page anew, and try again.\n{said}",
        content_type="text/plain; charset=utf-8",
    )
