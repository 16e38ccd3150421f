"""“Add stories”: a text, a file or an address is read first, shown with its report, and becomes stories or an edition only then."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from wagtail import hooks
from wagtail.admin import messages
from wagtail.admin.menu import MenuItem
from wagtail.admin.staticfiles import versioned_static

from composer.articles.article import Article
from composer.composition import compose
from composer.digest import Digest, DigestError, parse
from composer.intake import Intake, import_articles, import_digest
from composer.models import Publication, Story
from composer.models.story import fingerprint
from composer.same_story.suggesting import last_placements
from newsdesk.core.errors import InputError
from tasks.http.guard import Guard
from tasks.sources.addresses import fetched
from tasks.sources.pictures import give_pictures
from web.desk.stories import usual_publication

#: Bytes; what is read in the first step travels through the form to the second.
MOST_BYTES = 1_500_000


class IntakeForm(forms.Form):
    publication = forms.ModelChoiceField(Publication.objects.order_by("title"), empty_label=None)
    url = forms.CharField(
        label="Address", required=False, max_length=2000, help_text="Of an article, or of an RSS, Atom or JSON feed."
    )
    text = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 14}),
        help_text="A whole digest, pasted from wherever it was written. Links and headings come along.",
    )
    #: The same with its markup, as the browser pasted it; empty once the text was changed by hand.
    html = forms.CharField(required=False, widget=forms.HiddenInput)
    file = forms.FileField(required=False, help_text="Text, Markdown, HTML, a Word file (.docx) or a mail (.eml).")
    #: A file's bytes on their way from the first step to the second, as base64.
    carried = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"].strip()
        if url and not url.lower().startswith(("http://", "https://")):
            url = f"https://{url}"
        return url

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file is not None and file.size > MOST_BYTES:
            raise ValidationError(f"It has {file.size / 1e6:.1f} MB; at most {MOST_BYTES / 1e6:g} are read here.")
        return file

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        given = [name for name in ("url", "text", "file") if cleaned.get(name)]
        if not given and cleaned.get("carried"):
            given = ["carried"]
        if not self.errors and len(given) != 1:
            asked = (
                "Paste a text, choose a file or give an address."
                if not given
                else "Give one of the three, not several."
            )
            raise ValidationError(asked)
        return cleaned


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What was read, before anything is stored."""

    digest: Digest | None = None
    articles: Sequence[Article] = ()
    form: str = "page"

    def store(self, publication: Publication) -> Intake:
        if self.digest is not None:
            return import_digest(publication, self.digest)
        origin = Story.Origin.FEED if self.form == "feed" else Story.Origin.URL
        with transaction.atomic():
            intake = import_articles(publication, self.articles, origin)
        give_pictures(intake.stories, self.articles, Guard())
        return intake

    def rows(self, publication: Publication) -> list[dict[str, Any]]:
        """For the page: each story, the section it opens, and where it ran or stands already."""
        stories: Sequence[Any] = self.digest.stories if self.digest else self.articles
        sections = {one.before: one.heading for one in self.digest.sections} if self.digest else {}
        marks = [fingerprint(story.headline) for story in stories]
        known = dict(
            Story.objects.filter(publication=publication, fingerprint__in=marks)
            .order_by("-pk")
            .values_list("fingerprint", "pk")
        )
        ran = last_placements(known.values())
        return [
            {
                "number": number,
                "section": sections.get(number, ""),
                "headline": story.headline,
                "lede": story.lede,
                "source": (story.source_name or story.source_url) if self.digest else story.site,
                "repeat": mark in known,
                "ran": str(ran.get(known.get(mark, 0), "")),
            }
            for number, (story, mark) in enumerate(zip(stories, marks, strict=True), start=1)
        ]


def add_stories(request: HttpRequest) -> HttpResponse:
    """GET shows the form, with `?url=` filled in (the bookmarklet); POST reads, or stores what was read."""
    user: Any = request.user
    if not user.has_perm("composer.add_story"):
        raise PermissionDenied
    if request.method != "POST":
        initial = {"publication": usual_publication(), "url": request.GET.get("url", "")[:2000]}
        return _page(request, IntakeForm(initial=initial))
    form = IntakeForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, form)
    try:
        reading = _read(form)
    except InputError as error:
        place = f"Line {error.line}: {error.message}" if isinstance(error, DigestError) else str(error)
        form.add_error(None, place)
        return _page(request, form)
    publication: Publication = form.cleaned_data["publication"]
    if "edition" in request.POST and reading.digest is not None:
        return _make_edition(request, form, publication, reading.digest)
    if "stories" in request.POST:
        intake = reading.store(publication)
        repeated = f", {intake.repeated} were there already" if intake.repeated else ""
        messages.success(request, f"{intake.created} new stories are in the inbox of {publication}{repeated}.")
        return redirect(reverse("wagtailsnippets_composer_story:list"))
    return _page(request, form, reading=reading)


def _make_edition(request: HttpRequest, form: IntakeForm, publication: Publication, digest: Digest) -> HttpResponse:
    user: Any = request.user
    if not user.has_perm("composer.add_edition"):
        raise PermissionDenied
    try:
        edition = compose(publication, digest=digest, by=user)
    except ValidationError as error:
        form.add_error(None, " ".join(error.messages))
        return _page(request, form)
    messages.success(request, f"“{edition}” is made, a draft of {len(digest.stories)} stories.")
    return redirect(reverse("wagtailsnippets_composer_edition:edit", args=[edition.pk]))


def _read(form: IntakeForm) -> Reading:
    """Raises InputError with the line or the address."""
    cleaned = form.cleaned_data
    if cleaned["url"]:
        articles, kind = fetched(cleaned["url"], Guard())
        return Reading(articles=articles, form=kind)
    if cleaned["text"]:
        return Reading(digest=parse(cleaned["html"] or cleaned["text"]))
    if cleaned["file"]:
        raw = cleaned["file"].read()
        sent: Any = form.data
        form.data = sent.copy()
        form.data["carried"] = base64.b64encode(raw).decode()  # type: ignore[index]  # a QueryDict
        return Reading(digest=parse(raw))
    try:
        return Reading(digest=parse(base64.b64decode(cleaned["carried"], validate=True)))
    except binascii.Error as error:
        raise InputError("the file did not arrive whole; choose it again") from error


def _page(request: HttpRequest, form: IntakeForm, *, reading: Reading | None = None) -> HttpResponse:
    publication = form.cleaned_data["publication"] if reading else None
    context = {
        "form": form,
        "reading": reading,
        "digest": reading.digest if reading else None,
        "rows": reading.rows(publication) if reading and publication else [],
        "may_make_edition": request.user.has_perm("composer.add_edition"),
        "bookmarklet": _bookmarklet(request),
        "script": versioned_static("web/desk/add_stories.js"),
        "page_title": "Add stories",
        "header_icon": "doc-full",
        "breadcrumbs_items": [
            {"url": reverse("wagtailadmin_home"), "label": "Home"},
            {"url": reverse("wagtailsnippets_composer_story:list"), "label": "Stories"},
            {"url": "", "label": "Add stories"},
        ],
    }
    status = 422 if form.is_bound and form.errors else 200
    return TemplateResponse(request, "web/desk/add_stories.html", context, status=status)


def _bookmarklet(request: HttpRequest) -> str:
    address = request.build_absolute_uri(reverse("desk_add_stories"))
    return f"javascript:void(window.open('{address}?url='+encodeURIComponent(location.href)))"


@hooks.register("register_admin_urls")
def our_urls() -> list[URLPattern]:
    return [path("add-stories/", add_stories, name="desk_add_stories")]


class _AddStoriesItem(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        user: Any = request.user
        return bool(user.has_perm("composer.add_story"))


@hooks.register("register_admin_menu_item")
def our_menu_item() -> MenuItem:
    return _AddStoriesItem("Add stories", reverse("desk_add_stories"), name="add-stories", icon_name="plus", order=15)
