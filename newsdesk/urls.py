"""Every address Newsdesk answers."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView
from wagtail.admin import urls as wagtailadmin_urls

from web.health import healthz
from web.media import media


def nothing(_request: HttpRequest, rest: str = "") -> HttpResponse:
    """An address that is closed, whoever asks."""
    raise Http404(rest)


def favicon(_request: HttpRequest) -> HttpResponse:
    """Asked for by browsers where a page names none, such as an edition's own bytes."""
    return redirect(static("web/favicon.svg"))


urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", healthz),
    path("favicon.ico", favicon),
    path("desk", RedirectView.as_view(url="/desk/", query_string=True)),
    # Wagtail's documents would be files of any kind on the desk's origin; its templates need the app's names, not its pages.
    path("desk/documents/", nothing),
    path("desk/documents/<path:rest>", nothing),
    path("desk/api/main/documents/", nothing),
    path("desk/api/main/documents/<path:rest>", nothing),
    # No website is made here: Wagtail's pages and their explorer would only show its welcome page.
    path("desk/pages/", nothing),
    path("desk/pages/<path:rest>", nothing),
    path("desk/", include(wagtailadmin_urls)),
    path("media/<path:path>", media),
    path("", include("web.urls")),
]
