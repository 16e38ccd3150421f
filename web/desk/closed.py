"""What Wagtail brings for websites and an editor of mails has no use for answers 404, whoever asks.

Its templates need the names of these addresses, so the apps stay installed; nothing behind them can be reached.
"""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from wagtail.admin.auth import require_admin_access
from wagtail.admin.views.reports.audit_logging import LogEntriesView

from web.accounts.recent_login import require_recent_login

#: Below the desk's address, each with all that is below it.
CLOSED = (
    # Documents would be files of any kind on the desk's origin.
    "documents/",
    # Mails have no pages, no sites, no page workflows; images are one library. Embeds are for pages.
    "pages/",
    "choose-page/",
    "collections/",
    "workflows/",
    "sites/",
    "embeds/",
    # No script of the desk asks it, and it knows no publications.
    "api/",
    # The raw matrices; people are managed by the team's page.
    "users/",
    "groups/",
    # A list of models.
    "snippets/",
    "reports/locked/",
    "reports/workflow/",
    "reports/workflow_tasks/",
    "reports/aging-pages/",
    "reports/page-types-usage/",
    # Addresses of images in any size, for pages that ask for them.
    "images/<int:image>/generate_url/",
    "images/<int:image>/preview/",
    "test404/",
    "failwhale/",
)
#: Closed themselves, while what is below them is in use: the choosers of stories and editions.
OPEN_BELOW = {"snippets/": "choose/"}


def nothing(_request: HttpRequest, **_parts: Any) -> HttpResponse:
    """An address that is closed, whoever asks."""
    raise Http404


@require_admin_access
def site_history(request: HttpRequest, *, results_only: bool = False) -> HttpResponse:
    """All that was done at the desk, in all publications: for superusers."""
    user = request.user
    if not (user.is_active and user.is_superuser):
        raise Http404
    if request.GET.get("export"):
        # A file of everybody's doings.
        require_recent_login(request)
    response: HttpResponse = LogEntriesView.as_view(results_only=results_only)(request)
    return response


def _patterns() -> list[URLPattern]:
    patterns = []
    for address in CLOSED:
        patterns.append(path(address, nothing))
        if address not in OPEN_BELOW:
            patterns.append(path(f"{address}<path:rest>", nothing))
    return patterns


#: To stand before Wagtail's own, below the desk's address.
urlpatterns = [
    *_patterns(),
    path("reports/site-history/", site_history),
    path("reports/site-history/results/", site_history, {"results_only": True}),
]
