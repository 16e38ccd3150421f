"""An approved edition's page: the mail as it is sent, who approved it and when, instead of a form that is locked."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from composer import merge_tags
from composer.models import Approval, Edition, Variant
from subscribers.models import Segment
from web.archive import images_allowed
from web.desk.scheduling import spoken
from web.desk.visible import visible_edition


@dataclass(frozen=True, kw_only=True)
class ShownVariant:
    variant: Variant
    #: Who reads it, in words.
    readers: str


@dataclass(frozen=True, kw_only=True)
class Report:
    approval: Approval
    #: On the publication's clock, with its name.
    approved: str
    variants: list[ShownVariant]


def of(edition: Edition) -> Report | None:
    """None while the edition is a draft: its page is the form then."""
    approval = edition.approval
    if approval is None:
        return None
    # The bytes themselves are fetched by the frame.
    variants = list(approval.variants.filter(stories__gt=0).defer("html", "text"))
    names = dict(Segment.objects.filter(publication=edition.publication).values_list("slug", "name"))
    return Report(
        approval=approval,
        approved=spoken(approval.approved_at, edition),
        variants=[ShownVariant(variant=one, readers=_readers(one, names)) for one in variants],
    )


@require_safe
@xframe_options_sameorigin
def mail(request: HttpRequest, pk: int, variant: int) -> HttpResponse:
    """The frozen HTML of one variant, as a reader without a name gets it, for a frame in which nothing runs."""
    user: Any = request.user
    shown = get_object_or_404(Variant, pk=variant, approval__edition=visible_edition(user, pk))
    values = merge_tags.values(
        merge_tags.tags_in(shown.html), email="reader@example.com", unsubscribe_url="#", preferences_url="#"
    )
    response = HttpResponse(merge_tags.fill(shown.html, values))
    response["Content-Security-Policy"] = (
        f"sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src {images_allowed()}; "
        "form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
    )
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "private, no-store"
    return response


def _readers(variant: Variant, names: dict[str, str]) -> str:
    """“Retail; Retail and Asia”, or “everybody else”."""
    sets = [" and ".join(names.get(slug, slug) for slug in slugs) or "everybody else" for slugs in variant.audiences]
    return "; ".join(sets)
