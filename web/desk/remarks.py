"""Remarks beside the blocks of an edition: read, added and resolved from the open form, without leaving it."""

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models.functions import Now
from django.http import HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_http_methods, require_POST
from wagtail.admin.templatetags.wagtailadmin_tags import user_display_name

from composer.models import Edition, Remark
from composer.permissions import Right, may
from web.desk.times import on_clock
from web.desk.visible import visible_edition


class RemarkForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic when it runs
    class Meta:
        model = Remark
        fields = ("block_id", "text")
        error_messages = {"text": {"required": "Write the remark."}}


@require_http_methods(["GET", "POST"])
def remarks(request: HttpRequest, pk: int) -> JsonResponse:
    """GET: the edition's open remarks; POST adds one, from `block_id` and `text`. Raises Http404, PermissionDenied."""
    edition = _edition(request, pk)
    if request.method == "POST":
        user: Any = request.user
        form = RemarkForm(request.POST, instance=Remark(edition=edition, author=user))
        if not form.is_valid():
            said = " ".join(str(message) for messages in form.errors.values() for message in messages)
            return JsonResponse({"error": said}, status=400)
        form.save()
    return _open(edition)


@require_POST
def resolve(request: HttpRequest, pk: int, remark: int) -> JsonResponse:
    """Settle the remark. Raises Http404, PermissionDenied."""
    edition = _edition(request, pk)
    chosen = get_object_or_404(Remark, edition=edition, pk=remark)
    Remark.objects.filter(pk=chosen.pk, resolved_at=None).update(resolved_at=Now(), resolved_by=request.user)
    return _open(edition)


def open_remarks(edition: Edition) -> int:
    return edition.remarks.filter(resolved_at=None).count() if edition.pk else 0


def _edition(request: HttpRequest, pk: int) -> Edition:
    edition = visible_edition(request.user, pk)
    if not may(request.user, Right.EDIT, edition.publication_id):
        raise PermissionDenied
    return edition


def _open(edition: Edition) -> JsonResponse:
    standing = edition.remarks.filter(resolved_at=None).select_related("author__wagtail_userprofile")
    return JsonResponse(
        {
            "remarks": [
                {
                    "id": remark.pk,
                    "block": str(remark.block_id),
                    "text": remark.text,
                    "author": user_display_name(remark.author) if remark.author else "Somebody who is gone",
                    "at": on_clock(remark.at, edition.publication.zone),
                }
                for remark in standing
            ]
        }
    )
