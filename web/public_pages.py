"""Pages for readers: no login, no cookie, no script, nothing fetched from elsewhere, nothing kept by anybody between."""

from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from hashlib import sha256

from django.http import HttpResponse, HttpResponseNotFound
from django.template.loader import render_to_string
from django.utils.safestring import mark_safe

from composer.models import Publication


@cache
def _style() -> tuple[str, str]:
    """The style sheet and the source expression (CSP Level 3, § 2.3.1) that allows exactly these bytes."""
    style = render_to_string("web/public/style.css")
    return style, f"'sha256-{b64encode(sha256(style.encode()).digest()).decode()}'"


def page(template: str, publication: Publication | None, context: Mapping[str, object]) -> HttpResponse:
    """Render a page in the publication's language and direction (None: in English), with the strictest headers it can live with."""
    return privately(_rendered(template, publication, context))


def public_page(template: str, publication: Publication | None, context: Mapping[str, object]) -> HttpResponse:
    """The same for a page that holds nobody's secret: it may be found and kept for five minutes."""
    response = _rendered(template, publication, {**context, "is_public": True})
    response["Referrer-Policy"] = "strict-origin-when-cross-origin"
    response["Cache-Control"] = "public, max-age=300"
    return response


def _rendered(template: str, publication: Publication | None, context: Mapping[str, object]) -> HttpResponse:
    style, allowed = _style()
    # Without the request: no context processor looks at the session, so no cookie is read or set.
    html = render_to_string(template, {**context, "publication": publication, "style": mark_safe(style)})  # noqa: S308
    response = HttpResponse(html)
    # The image is the browser's tab's.
    response["Content-Security-Policy"] = (
        f"default-src 'none'; style-src {allowed}; img-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
    return response


def not_found() -> HttpResponse:
    """The same bytes for whatever was wrong."""
    response = HttpResponseNotFound("Not found\n", content_type="text/plain; charset=utf-8")
    response["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
    return privately(response)


def privately(response: HttpResponse) -> HttpResponse:
    """The address holds a reader's token: it goes into no cache, no search engine and no Referer header."""
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex"
    return response
