"""Every address Newsdesk answers."""

from django.urls import URLPattern, URLResolver, include, path
from wagtail.admin import urls as wagtailadmin_urls

urlpatterns: list[URLPattern | URLResolver] = [
    path("desk/", include(wagtailadmin_urls)),
]
