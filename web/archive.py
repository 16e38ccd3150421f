"""The web archive: `/`, `/<publication>/`, and `/<publication>/<number>/`, an edition from the bytes that were approved."""

import datetime as dt
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Exists, Min, OuterRef, Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from composer import merge_tags
from composer.models import Approval, Publication, Variant
from tasks.models import Send
from web.public_pages import not_found, public_page

#: A link that only a reader's own token makes sense of, with the separator behind it.
_PERSONAL_LINK = re.compile(
    r"<a\b[^>]*-nd(?:Unsubscribe|Preferences)Url-[^>]*>.*?</a>(?:(?:\s|\u00a0|&nbsp;)*·(?:\s|\u00a0|&nbsp;)*)?",
    re.DOTALL,
)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An edition in the list of its publication."""

    number: int
    subject: str
    #: On the publication's clock.
    day: dt.date


@require_safe
def start(_request: HttpRequest) -> HttpResponse:
    """`/`: to the archive of the only publication, or to a list of those that have come out."""
    publications = list(Publication.objects.order_by("title", "pk"))
    if len(publications) == 1:
        return redirect("archive", publication=publications[0].slug)
    started = Publication.objects.filter(Exists(_sends_out().filter(edition__publication=OuterRef("pk"))))
    return public_page("web/public/publications.html", None, {"publications": started.order_by("title", "pk")})


@require_safe
def archive(_request: HttpRequest, publication: str) -> HttpResponse:
    """The editions of a publication that have gone out and that everybody may read, the newest first."""
    shown = Publication.objects.filter(slug=publication).first()
    if shown is None:
        return not_found()
    return public_page("web/public/archive.html", shown, {"entries": _entries(shown)})


@require_safe
def edition(request: HttpRequest, publication: str, number: int) -> HttpResponse:  # noqa: ARG001 - Django gives it
    """The variant everybody may read of an edition that has gone out; 404 for anything else, approved or not."""
    approval = _approval(publication, number)
    variant = _public_variant(approval) if approval else None
    if variant is None:
        return not_found()
    response = HttpResponse(impersonal(variant.html))
    response["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'unsafe-inline'; img-src {images_allowed()}; "
        "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    )
    response["Referrer-Policy"] = "strict-origin-when-cross-origin"
    response["Cache-Control"] = "public, max-age=300"
    return response


def images_allowed() -> str:
    """Where a mail's pictures may come from, as a source list of a Content-Security-Policy."""
    return " ".join(sorted({"'self'", "https:", "data:", _origin(settings.BASE_URL)}))


def impersonal(html: str) -> str:
    """Frozen HTML without a reader: personal links taken out, names at their defaults, any other link to the start."""
    html = _PERSONAL_LINK.sub("", html)
    return merge_tags.fill(
        html,
        merge_tags.values(merge_tags.tags_in(html), email="you", unsubscribe_url="/", preferences_url="/"),
    )


def _sends_out() -> "QuerySet[Send]":
    """Sends that have begun to go out."""
    return Send.objects.filter(prepared_at__isnull=False).exclude(status=Send.Status.CANCELLED)


def _shown_approvals() -> "QuerySet[Approval]":
    """Of editions that have gone out: the standing approval (a correction) comes first, then the one that was sent last."""
    started = _sends_out()
    gone_out = Approval.objects.filter(Exists(started.filter(edition=OuterRef("edition"))))
    shown = gone_out.filter(Q(voided_at__isnull=True) | Exists(started.filter(approval=OuterRef("pk"))))
    return shown.order_by("-approved_at", "-pk")


def _approval(publication: str, number: int) -> Approval | None:
    return _shown_approvals().filter(edition__publication__slug=publication, edition__number=number).first()


def _entries(publication: Publication) -> list[Entry]:
    """In three queries, however many there are; the bytes stay in the database."""
    slim = Variant.objects.defer("html", "text", "headers")
    shown = _shown_approvals().filter(edition__publication=publication)
    latest = shown.order_by("-edition__number", "-approved_at", "-pk").distinct("edition__number")
    rows = list(latest.values_list("pk", "edition__number", "edition"))
    variants = Approval.objects.prefetch_related(Prefetch("variants", slim)).in_bulk([pk for pk, _, _ in rows])
    sends = _sends_out().filter(edition__in=[edition for _, _, edition in rows])
    days = dict(sends.values_list("edition").annotate(Min("prepared_at")))
    entries = []
    for pk, number, edition_id in rows:
        variant = _public_variant(variants[pk])
        if variant is not None and number is not None:
            day = days[edition_id].astimezone(publication.zone).date()
            entries.append(Entry(number=number, subject=impersonal(variant.subject), day=day))
    return entries


def _public_variant(approval: Approval) -> Variant | None:
    """What a member of no segment reads; None when no story is for everybody."""
    public = (one for one in approval.variants.all() if one.stories > 0 and [] in one.audiences)
    return next(public, None)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
