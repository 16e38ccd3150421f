"""Every address Newsdesk answers."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path
from django.views.static import serve
from wagtail.admin import urls as wagtailadmin_urls

from web.health import healthz

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", healthz),
    path("desk/", include(wagtailadmin_urls)),
    path("media/<path:path>", serve, {"document_root": settings.MEDIA_ROOT}),
    path("", include("web.urls")),
]
