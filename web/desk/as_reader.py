"""The preview as one reader gets the mail: found by address beside the editor, shown with their name and their stories.

An address is personal: it is posted, and the preview's own address only holds the reader's id.
"""

import re
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST
from wagtail.admin.ui.side_panels import PreviewSidePanel
from wagtail.snippets.views.snippets import PreviewOnEditView
from wagtail.utils.decorators import xframe_options_sameorigin_override

from composer import previewing
from composer.models import Edition, Publication
from composer.permissions import Right, may
from subscribers.models import Subscriber, Subscription
from subscribers.profile import left_out
from subscribers.segments import RuleError
from tasks.audience import segment_rules
from web.desk.scheduling import REASONS
from web.desk.search import LONGEST, beginning
from web.desk.visible import visible_edition

#: Addresses that are offered while one is typed.
OFFERED = 10
_MODE = re.compile(r"reader-(?P<reader>\d{1,18})-(?P<look>html|dark|text)")


class EditionPreviewPanel(PreviewSidePanel):
    template_name = "web/desk/preview_panel.html"

    def get_context_data(self, parent_context: dict[str, Any]) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(parent_context)
        edition: Edition = self.object
        sees_readers = bool(edition.pk) and may(self.request.user, Right.READERS, edition.publication_id)
        return {**context, "csrf_token": parent_context["csrf_token"], "sees_readers": sees_readers}


class EditionPreview(PreviewOnEditView):
    """Wagtail's, and one mode more: `reader-<id>-<look>`."""

    @method_decorator(xframe_options_sameorigin_override)
    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Raises PermissionDenied for whoever may not look at readers."""
        asked = _MODE.fullmatch(request.GET.get("mode", ""))
        answer: HttpResponse
        if not asked:
            answer = super().get(request, *args, **kwargs)
            return answer
        _require_readers(request, self.object)
        form = self.get_form(self._get_form_data(self._get_form_state()))
        if not self.validate_form(form):
            invalid: HttpResponse = self.error_response()
            return invalid
        form.save(commit=False)
        reader = readers_of(self.object.publication).filter(pk=asked["reader"]).first()
        return previewing.confined(_page(self.object, reader, asked["look"]))


@require_POST
def find(request: HttpRequest, pk: int) -> JsonResponse:
    """With `begins`: addresses that begin so. With `address`: how to look at the edition as this reader.

    Raises Http404, PermissionDenied.
    """
    edition = visible_edition(request.user, pk)
    _require_readers(request, edition)
    if "begins" in request.POST:
        offered = _beginning(edition.publication, _typed(request, "begins"))
        return JsonResponse({"addresses": offered})
    address = _typed(request, "address")
    if not address:
        return JsonResponse({"error": "Type the address of a reader."}, status=400)
    reader = readers_of(edition.publication).filter(email__iexact=address).first()
    if reader is None:
        said = f"No reader of {edition.publication} has the address “{address}”."
        return JsonResponse({"error": said}, status=400)
    return JsonResponse({"modes": _modes(reader), "said": _said(edition, reader)})


def readers_of(publication: Publication) -> "QuerySet[Subscriber]":
    """Whoever is or was on one of its lists."""
    return Subscriber.objects.filter(_is_on_a_list_of(publication))


def _is_on_a_list_of(publication: Publication) -> Exists:
    return Exists(Subscription.objects.filter(list__publication=publication, subscriber=OuterRef("pk")))


def _require_readers(request: HttpRequest, edition: Edition) -> None:
    if not may(request.user, Right.READERS, edition.publication_id):
        raise PermissionDenied


def _typed(request: HttpRequest, name: str) -> str:
    return request.POST.get(name, "").replace("\x00", "").strip()[:LONGEST]


def _beginning(publication: Publication, words: str) -> list[str]:
    found = beginning("email", words).filter(_is_on_a_list_of(publication))[:OFFERED]
    return list(Subscriber.objects.filter(pk__in=list(found)).order_by("email").values_list("email", flat=True))


def _modes(reader: Subscriber) -> list[tuple[str, str]]:
    named = f"As {reader.name} <{reader.email}>" if reader.name else f"As {reader.email}"
    return [(f"reader-{reader.pk}-{look}", f"{named}{name}") for look, name in previewing.LOOKS.items()]


def _said(edition: Edition, reader: Subscriber) -> str:
    """Which groups the reader is in, and whether they would get the edition at all."""
    try:
        segments = sorted(_segments(edition, reader))
    except RuleError as error:
        return f"{error}."
    reason = left_out(reader, edition.publication_id)
    who = reader.name or reader.email
    group = f"{who} is in {' and '.join(segments)}" if segments else f"{who} is in no segment of this edition"
    return f"{group}, and would be left out: {REASONS.get(reason, reason)}." if reason else f"{group}."


def _segments(edition: Edition, reader: Subscriber) -> frozenset[str]:
    approval = edition.approval
    rules = approval.audience_rules if approval else segment_rules.rules_of_edition(edition)
    return segment_rules.segments_of(reader, rules, edition.publication_id)


def _page(edition: Edition, reader: Subscriber | None, look: str) -> str:
    if reader is None:
        return previewing.message(f"This reader of {edition.publication} is not there any more.")
    try:
        segments = _segments(edition, reader)
    except RuleError as error:
        return previewing.message(f"{error}.")
    seen_by = previewing.Reader(name=reader.name, email=reader.email, segments=segments)
    return previewing.edition_page(edition, look, reader=seen_by)
