"""“Add stories”: a text, a file or an address is read first, shown with its report, and becomes stories or an edition only then."""

import base64
import binascii
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from wagtail import hooks
from wagtail.admin import messages
from wagtail.admin.menu import MenuItem
from wagtail.admin.staticfiles import versioned_static

from composer.articles.article import Collection
from composer.composition import compose
from composer.digest import Digest, DigestError, parse
from composer.intake import Intake, earlier_stories, take_in
from composer.models import Publication
from composer.permissions import Right, may, may_anywhere, publications
from composer.same_story.suggesting import last_placements
from newsdesk.core.errors import InputError
from tasks.http.guard import Guard
from tasks.sources.addresses import fetched
from tasks.sources.pictures import give_pictures
from web.desk import line_decisions
from web.desk.headers import header
from web.desk.scoped import usual_publication

#: Bytes; what is read in the first step travels through the form to the second.
MOST_BYTES = 1_500_000


class IntakeForm(forms.Form):
    publication = forms.ModelChoiceField(Publication.objects.none(), empty_label=None)
    url = forms.CharField(
        label="Address", required=False, max_length=2000, help_text="Of an article, or of an RSS, Atom or JSON feed."
    )
    text = forms.CharField(
        label="The digest",
        required=False,
        widget=forms.Textarea(attrs={"rows": 14}),
        help_text="A whole digest, pasted from wherever it was written. Links and headings come along.",
    )
    #: The same with its markup, as the browser pasted it; empty once the text was changed by hand.
    html = forms.CharField(required=False, widget=forms.HiddenInput)
    file = forms.FileField(required=False, help_text="Text, Markdown, HTML, a Word file (.docx) or a mail (.eml).")
    #: A file's bytes on their way from the first step to the second, as base64.
    carried = forms.CharField(required=False, widget=forms.HiddenInput)
    #: What was decided about doubtful lines, and of which text: “<CRC-32>:12=headline,15=text”.
    decided = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["publication"]
        field.queryset = publications(user, Right.WRITE).order_by("title")

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

    found: Digest | Collection

    @property
    def digest(self) -> Digest | None:
        return self.found if isinstance(self.found, Digest) else None

    def store(self, publication: Publication) -> tuple[Intake, list[str]]:
        """What came of it, and why stories are without their picture."""
        intake = take_in(publication, self.found)
        if isinstance(self.found, Digest):
            return intake, []
        return intake, give_pictures(intake.stories, self.found.articles, Guard())

    def rows(self, publication: Publication) -> list[dict[str, Any]]:
        """For the page: each story, the section it opens, and where it ran or stands already."""
        earlier = earlier_stories(publication, self.found)
        ran = last_placements(story.pk for story in earlier if story)
        sections = {one.before: one.heading for one in self.digest.sections} if self.digest else {}
        return [
            {
                "number": number,
                "section": sections.get(number, ""),
                "headline": headline,
                "lede": lede,
                "source": source,
                "repeat": story is not None,
                "ran": str(ran.get(story.pk, "")) if story else "",
            }
            for number, ((headline, lede, source), story) in enumerate(
                zip(self._words(), earlier, strict=True), start=1
            )
        ]

    def _words(self) -> list[tuple[str, str, str]]:
        """Headline, lede and source of each story."""
        if isinstance(self.found, Digest):
            return [(one.headline, one.lede, one.source_name or one.source_url) for one in self.found.stories]
        return [(one.headline, one.lede, one.site) for one in self.found.articles]


def add_stories(request: HttpRequest) -> HttpResponse:
    """GET shows the form, with `?url=` filled in (the bookmarklet); POST reads, or stores what was read."""
    user: Any = request.user
    if not may_anywhere(user, Right.WRITE):
        raise PermissionDenied
    if request.method != "POST":
        initial = {"publication": usual_publication(user, Right.WRITE), "url": request.GET.get("url", "")[:2000]}
        return _page(request, IntakeForm(user, initial=initial))
    form = IntakeForm(user, request.POST, request.FILES)
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
        intake, without_picture = reading.store(publication)
        repeated = f", {intake.repeated} were there already" if intake.repeated else ""
        messages.success(request, f"{intake.created} new stories are in the inbox of {publication}{repeated}.")
        if without_picture:
            more = f" And {len(without_picture) - 3} more." if len(without_picture) > 3 else ""
            messages.warning(request, f"{' '.join(without_picture[:3])}{more}")
        return redirect(reverse("wagtailsnippets_composer_story:list"))
    return _page(request, form, reading=reading)


def _make_edition(request: HttpRequest, form: IntakeForm, publication: Publication, digest: Digest) -> HttpResponse:
    user: Any = request.user
    if not may(user, Right.EDIT, publication):
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
        return Reading(found=fetched(cleaned["url"], Guard()))
    sent: Any = form.data
    form.data = carried = sent.copy()
    if cleaned["text"]:
        raw: bytes | str = cleaned["html"] or cleaned["text"]
    elif cleaned["file"]:
        content: bytes = cleaned["file"].read()
        raw, carried["carried"] = content, base64.b64encode(content).decode()
    else:
        try:
            raw = base64.b64decode(cleaned["carried"], validate=True)
        except binascii.Error as error:
            raise InputError("the file did not arrive whole; choose it again") from error
    decisions = line_decisions.read(raw, cleaned["decided"], sent.get("decide", ""))
    found = parse(raw, decisions=decisions)
    carried["decided"] = line_decisions.written(raw, decisions)
    return Reading(found=found)


def _page(request: HttpRequest, form: IntakeForm, *, reading: Reading | None = None) -> HttpResponse:
    publication = form.cleaned_data["publication"] if reading else None
    context = {
        "form": form,
        "reading": reading,
        "digest": reading.digest if reading else None,
        "rows": reading.rows(publication) if reading and publication else [],
        "may_make_edition": publication is not None and may(request.user, Right.EDIT, publication),
        "bookmarklet": _bookmarklet(request),
        "script": versioned_static("web/desk/add_stories.js"),
        **header("Add stories", "doc-full", ("Stories", reverse("wagtailsnippets_composer_story:list"))),
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
        return may_anywhere(request.user, Right.WRITE)


@hooks.register("register_admin_menu_item")
def our_menu_item() -> MenuItem:
    return _AddStoriesItem("Add stories", reverse("desk_add_stories"), name="add-stories", icon_name="plus", order=15)
