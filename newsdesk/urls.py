"""Every address Newsdesk answers."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView
from wagtail.admin import urls as wagtailadmin_urls

from web.health import healthz
from web.media import media


def favicon(_request: HttpRequest) -> HttpResponse:
    """Asked for by browsers where a page names none, such as an edition's own bytes."""
    return redirect(static("web/favicon.svg"))


urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", healthz),
    path("favicon.ico", favicon),
    path("desk", RedirectView.as_view(url="/desk/", query_string=True)),
    path("desk/", include("web.desk.closed")),
    path("desk/", include("web.accounts.urls")),
    path("desk/", include(wagtailadmin_urls)),
    path("media/<path:path>", media),
    path("", include("web.urls")),
]

handler500 = "web.errors.server_error"
