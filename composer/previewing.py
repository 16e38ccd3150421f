"""What an edition looks like now, saved or not: pages for the preview beside the editor."""

import re
from dataclasses import dataclass
from html import escape

from django.http import HttpResponse
from django.utils import timezone, translation

from composer import merge_tags
from composer.content import EditionContent, TooManySegmentsError, variants, visible
from composer.conversion import edition_content, publication_content, story_content
from composer.models import Edition, Story
from composer.rendering import Rendering, RenderingError, UnknownThemeError, render
from composer.sanitising import TextTooLargeError

#: Ways to look at a mail, in any of its variants ("variant-1-dark"). Light and dark are the mail's own rules, whatever the
#: browser prefers.
HTML, DARK, TEXT = "html", "dark", "text"
LOOKS = {HTML: "", DARK: ", dark", TEXT: ", plain text"}
_MODE = re.compile(r"(?:variant-(?P<variant>\d{1,4}))?-?(?P<look>html|dark|text)?")
_DARK_RULES = "@media (prefers-color-scheme:dark)"
_BOTH_SCHEMES = '<meta name="color-scheme" content="light dark">'
#: A mail's styles stand in its elements, its images anywhere; nothing else is fetched, and no script runs, whatever a
#: theme or a pasted text holds. It keeps its origin, since Wagtail's script looks where it was scrolled to.
POLICY = (
    "default-src 'none'; img-src 'self' https: http: data:; style-src 'unsafe-inline' https:; font-src https: data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'; "
    "sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"
)


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Whom the preview is shown as. Their links lead nowhere: looking at a mail must not unsubscribe anybody."""

    name: str
    email: str
    #: Slugs of the edition's segments that the reader is in.
    segments: frozenset[str] = frozenset()


_NO_LINKS = {"unsubscribe_url": "#unsubscribe", "preferences_url": "#preferences"}
_SAMPLE = Reader(name="Sample Reader", email="reader@example.com")

#: Of a story by itself, and of what all readers get.
STORY_MODES = ((HTML, "Mail"), (DARK, "Mail, dark"), (TEXT, "Plain text"))


def confined(page: str) -> HttpResponse:
    """A preview's page as an answer that can do nothing on the desk's origin, in a frame or by itself."""
    return HttpResponse(page, headers={"Content-Security-Policy": POLICY})


def modes(edition: Edition) -> list[tuple[str, str]]:
    """The mail in light and dark, its plain text; and the same as each group of readers sees it where blocks are for segments."""
    modes = list(STORY_MODES)
    try:
        seen = variants(edition_content(edition, images=lambda _: None)) if edition.publication_id else ()
    except (TextTooLargeError, TooManySegmentsError):
        return modes
    if len(seen) > 1:
        modes += [
            (f"variant-{position}-{look}", f"{_readers(one.audiences)}{name}")
            for position, one in enumerate(seen)
            for look, name in LOOKS.items()
        ]
    return modes


def edition_page(edition: Edition, mode: str, *, reader: Reader | None = None) -> str:
    """The preview as one HTML page; what keeps it from being rendered is said in the page.

    With a reader, of whom `mode` only says the look (html, dark, text): what they would get, with their name and address.
    """
    if not edition.publication_id:
        return message("Choose a publication to see the preview.")
    publication = edition.publication
    with translation.override(publication.language), timezone.override(publication.zone):
        try:
            content = edition_content(edition)
            shown = visible(content, reader.segments) if reader else _chosen(content, mode)
            if reader and not shown.stories:
                return message("No story of this edition is for this reader: they get no mail.")
            return _page(shown, publication.theme, mode, reader or _SAMPLE)
        except (TextTooLargeError, TooManySegmentsError, RenderingError, UnknownThemeError) as error:
            return message(f"{error}.")


def story_page(story: Story, mode: str) -> str:
    """A story as it would stand in a mail of its publication."""
    if not story.publication_id:
        return message("Choose a publication to see the preview.")
    publication = publication_content(story.publication)
    content = EditionContent(publication=publication, title="", subject="", blocks=(story_content(story),))
    try:
        return _page(content, story.publication.theme, mode)
    except (TextTooLargeError, RenderingError, UnknownThemeError) as error:
        return message(f"{error}.")


def _chosen(content: EditionContent, mode: str) -> EditionContent:
    asked = _MODE.fullmatch(mode)
    if not asked or not asked["variant"]:
        return content
    seen = variants(content)
    return seen[min(int(asked["variant"]), len(seen) - 1)].content


def _readers(audiences: tuple[frozenset[str], ...]) -> str:
    named = [" + ".join(sorted(segments)) or "no segment" for segments in audiences]
    return f"For readers in {' or '.join(named)}"


def _page(content: EditionContent, theme: str, mode: str, reader: Reader = _SAMPLE) -> str:
    rendering = render(content, theme=theme)
    own = merge_tags.values(rendering.tags, name=reader.name, email=reader.email, **_NO_LINKS)
    look = _look(mode)
    if look == TEXT:
        return _text_page(content, rendering, merge_tags.fill(rendering.text, own))
    html = in_scheme(merge_tags.fill(rendering.html, own), dark=look == DARK)
    # Links open beside the desk, not inside the preview.
    return html.replace("<head>", '<head><base target="_blank">', 1)


def _look(mode: str) -> str:
    asked = _MODE.fullmatch(mode)
    return (asked and asked["look"]) or HTML


def in_scheme(html: str, *, dark: bool) -> str:
    """The mail's page as it looks in this scheme, whatever the browser's own is: the dark rules always hold, or never.

    Outlook.com's rules stay as they are: no browser marks what it has changed.
    """
    scheme = "dark" if dark else "light"
    html = html.replace(_DARK_RULES, "@media all" if dark else "@media not all")
    # After the theme's own `:root{color-scheme:light dark}`; the canvas and what has no colour follow it.
    forced = f"<style>:root{{color-scheme:only {scheme} !important}}</style></head>"
    return html.replace(_BOTH_SCHEMES, f'<meta name="color-scheme" content="only {scheme}">').replace(
        "</head>", forced, 1
    )


def _text_page(content: EditionContent, rendering: Rendering, text: str) -> str:
    publication = content.publication
    return (
        f'<!DOCTYPE html><html lang="{escape(publication.language)}" dir="{publication.direction}">'
        f"<head><meta charset=utf-8><title>{escape(rendering.subject)}</title></head>"
        "<body style='margin:0;padding:16px;background:#fff;color:#1a1a1a'>"
        "<pre style='font:14px/1.5 ui-monospace,Menlo,Consolas,monospace;white-space:pre-wrap;max-width:76ch;margin:0'>"
        f"{escape(text)}</pre></body></html>"
    )


def message(text: str) -> str:
    """A page that says why there is no mail to see."""
    return (
        "<!DOCTYPE html><html lang=en><head><meta charset=utf-8><title>Preview</title></head>"
        "<body style='font:16px/1.5 system-ui,sans-serif;margin:0;padding:32px 24px;color:#444;background:#fff'>"
        f"<p>{escape(text)}</p></body></html>"
    )
