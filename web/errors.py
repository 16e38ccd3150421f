"""What is answered where nothing else answers."""

import sys

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.defaults import server_error as django_server_error

from web.availability import of_error


def server_error(request: HttpRequest) -> HttpResponseBase:
    """500, except where the database is away: sessions and logins are read outside of views."""
    return of_error(request, sys.exc_info()[1]) or django_server_error(request)
