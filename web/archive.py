"""`/<publication>/<number>/`: an edition on the web, from the very bytes that were approved."""

import re
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from composer import merge_tags
from composer.models import Approval, Variant
from tasks.models import Send
from web.public_pages import not_found

#: A link that only a reader's own token makes sense of, with the separator behind it.
_PERSONAL_LINK = re.compile(
    r"<a\b[^>]*-nd(?:Unsubscribe|Preferences)Url-[^>]*>.*?</a>(?:(?:\s|\u00a0|&nbsp;)*·(?:\s|\u00a0|&nbsp;)*)?",
    re.DOTALL,
)


@require_safe
def edition(request: HttpRequest, publication: str, number: int) -> HttpResponse:  # noqa: ARG001 - Django gives it
    """The variant everybody may read of an edition that has gone out; 404 for anything else, approved or not."""
    approval = _approval(publication, number)
    variant = _public_variant(approval) if approval else None
    if variant is None:
        return not_found()
    response = HttpResponse(impersonal(variant.html))
    images = " ".join(sorted({"'self'", "https:", "data:", _origin(settings.BASE_URL)}))
    response["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'unsafe-inline'; img-src {images}; "
        "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    )
    response["Referrer-Policy"] = "strict-origin-when-cross-origin"
    response["Cache-Control"] = "public, max-age=300"
    return response


def impersonal(html: str) -> str:
    """Frozen HTML without a reader: personal links taken out, names at their defaults, any other link to the start."""
    html = _PERSONAL_LINK.sub("", html)
    return merge_tags.fill(
        html,
        merge_tags.values(merge_tags.tags_in(html), email="you", unsubscribe_url="/", preferences_url="/"),
    )


def _approval(publication: str, number: int) -> Approval | None:
    """Of an edition that has gone out: the standing approval (a correction), else the one that was sent last."""
    started = Send.objects.filter(prepared_at__isnull=False).exclude(status=Send.Status.CANCELLED)
    of_edition = Approval.objects.filter(
        Exists(started.filter(edition=OuterRef("edition"))),
        edition__publication__slug=publication,
        edition__number=number,
    )
    shown = of_edition.filter(Q(voided_at__isnull=True) | Exists(started.filter(approval=OuterRef("pk"))))
    return shown.order_by("-approved_at", "-pk").first()


def _public_variant(approval: Approval) -> Variant | None:
    """What a member of no segment reads; None when no story is for everybody."""
    variants = approval.variants.filter(stories__gt=0)
    return next((variant for variant in variants if [] in variant.audiences), None)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
