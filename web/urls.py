"""What readers, mail providers and SendGrid reach without a login.

Addresses that are posted to answer with and without a slash at the end: a redirect would lose the body (RFC 8058 forbids
one, and SendGrid follows none).
"""

from django.urls import path, re_path

from web import archive, inbound, unsubscribe, webhooks

urlpatterns = [
    re_path(r"^webhooks/inbound/(?P<key>[^/]+)/?\Z", inbound.receive, name="inbound"),
    re_path(r"^webhooks/(?P<provider>[a-z_]+)/?\Z", webhooks.receive, name="webhook"),
    re_path(r"^u/(?P<token>[^/]+)/?\Z", unsubscribe.unsubscribe, name="unsubscribe"),
    re_path(r"^p/(?P<token>[^/]+)/?\Z", unsubscribe.choose, name="preferences"),
    path("", archive.start, name="start"),
    path("<slug:publication>/", archive.archive, name="archive"),
    path("<slug:publication>/<int:number>/", archive.edition, name="edition"),
]
