"""Asking for an approval from an edition's page, sending it back with a note, and what the page says of it."""

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from wagtail.admin import messages

from composer import review
from composer.models import Edition, Review
from composer.permissions import Right, may, may_approve
from newsdesk.core.errors import InputError, RefusedError
from web.desk.headers import header
from web.desk.scheduling import edit_url
from web.desk.visible import visible_edition


class NoteForm(forms.Form):
    note = forms.CharField(
        label="What has to change",
        max_length=review.LONGEST_NOTE,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": "Say what has to change: the author sees only this note."},
    )


def may_ask(user: Any, edition: Edition) -> bool:
    """Whoever may approve needs not ask."""
    return may(user, Right.EDIT, edition.publication_id) and not may_approve(user, edition.publication_id)


def ask(request: HttpRequest, edition: Edition) -> None:
    """Ask on behalf of the person, and tell them how it went. Raises PermissionDenied."""
    if not may_ask(request.user, edition):
        raise PermissionDenied
    try:
        review.ask_for_approval(edition, by=request.user)
    except RefusedError as refused:
        messages.error(request, capfirst(str(refused)))
    else:
        messages.success(
            request, f"No. {edition.number} waits for approval: whoever may approve finds it on the first page."
        )


def send_back(request: HttpRequest, pk: int) -> HttpResponse:
    """GET asks for the note, POST gives the edition back with it."""
    user: Any = request.user
    edition = visible_edition(user, pk)
    if not may_approve(user, edition.publication_id):
        raise PermissionDenied
    form = NoteForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            made = review.send_back(edition, by=user, note=form.cleaned_data["note"])
        except (RefusedError, InputError) as refused:
            form.add_error("note", capfirst(str(refused)))
        else:
            whom = f" to {_name(made.to)}" if made.to else ""
            messages.success(request, f"No. {edition.number} went back{whom} with your note.")
            return redirect(edit_url(edition))
    context = {
        "edition": edition,
        "form": form,
        **header("Send back", "undo", (str(edition), edit_url(edition))),
    }
    return TemplateResponse(request, "web/desk/send_back.html", context, status=422 if form.errors else 200)


def as_html(request: HttpRequest, edition: Edition) -> SafeString:
    """What stands above the edition's form; empty where nobody asked, or it was approved since."""
    standing = review.standing_review(edition)
    if standing is None:
        return SafeString()
    context = {
        "edition": edition,
        "review": standing,
        "who": _name(standing.by),
        "is_asked": standing.kind == Review.Kind.ASKED,
        "may_approve": may_approve(request.user, edition.publication_id),
    }
    return render_to_string("web/desk/review.html", context, request)


def _name(user: Any) -> str:
    return (user.get_full_name() or user.get_username()) if user else "Somebody"
