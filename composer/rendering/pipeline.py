"""Content → Jinja2 → MJML → HTML → inlined HTML, and what must be put right between those steps."""

import html as html_module
import re
from dataclasses import replace
from functools import partial

from mjml import mjml2html

from composer import merge_tags
from composer.brand import BrandError
from composer.content import EditionContent
from composer.merge_tags import WEB_URL
from composer.rendering import themes
from composer.rendering.errors import RenderingError
from composer.rendering.inlining import inlined
from composer.rendering.neutralising import neutralised
from composer.rendering.plain_text import plain_text
from composer.rendering.result import Links, Rendering
from composer.rendering.tags import in_tags
from composer.rendering.themes import Theme
from composer.rendering.themes.output import confined, look_through_html
from composer.rendering.view import view
from composer.sanitising import printable

#: SendGrid declares iso-8859-1 for content that fits it, and Gmail then says "[Message clipped]"; this never fits.
NON_LATIN = "\u200c"

_PREHEADER_SHOWN = 150
_POSITION = re.compile(r"position (\d+):(\d+)")
_OUTLOOK_SEAM = re.compile(r"<!\[endif\]-->\s*<!--\[if mso \| IE\]>")
_SPACE_BETWEEN_LINES = re.compile(r"\n[ \t]+")


def render(content: EditionContent, *, theme: str = "digest", links: Links = Links()) -> Rendering:  # noqa: B008 - frozen
    """Render one variant. Raises UnknownThemeError, RenderingError, and TextTooLargeError for rich text beyond all bounds."""
    try:
        chosen = themes.theme(theme, content.publication.direction, content.publication.brand)
    except BrandError as error:
        raise RenderingError(str(error)) from error
    return render_with(chosen, content, links)


def render_with(chosen: Theme, content: EditionContent, links: Links = Links()) -> Rendering:  # noqa: B008 - frozen
    """The same with a theme already at hand."""
    content = neutralised(_without_blank_urls(content))
    mjml = (
        confined(chosen, partial(_mjml, content, chosen, links)) if chosen.confined else _mjml(content, chosen, links)
    )
    html = _finished(inlined(_compiled(mjml), chosen.inline_css), content.web_url)
    if chosen.confined:
        look_through_html(chosen.name, html)
    text = plain_text(content, links).replace(WEB_URL, content.web_url or WEB_URL)
    subject = one_line(content.subject).replace(WEB_URL, content.web_url or WEB_URL)
    return Rendering(
        mjml=mjml,
        html=html,
        text=f"{text.rstrip()}\n{NON_LATIN}\n",
        subject=subject,
        preheader=one_line(content.preheader),
        links=links,
        tags=merge_tags.tags_in(html, text, subject),
        theme=chosen.name,
    )


def one_line(text: str) -> str:
    """Text fit for a header: on one line, printable, with merge tags for plain text."""
    return merge_tags.translate(" ".join(printable(text).split()), "text")[0]


def _without_blank_urls(content: EditionContent) -> EditionContent:
    call = content.call_to_action
    if call and not call.url.strip() and call.url:
        return replace(content, call_to_action=replace(call, url=""))
    return content


def _mjml(content: EditionContent, chosen: Theme, links: Links) -> str:
    facts = view(content, links)
    padding = f"{NON_LATIN}\u00a0" * max(0, (_PREHEADER_SHOWN - len(content.preheader)) // 2)
    ltr = content.publication.direction == "ltr"
    text = chosen.template.render(
        view=facts,
        edition=content,
        publication=content.publication,
        words=facts.words,
        links=links,
        css=chosen.head_css,
        preheader_padding=padding,
        non_latin=NON_LATIN,
        look=chosen.look,
        light=chosen.light,
        dark=chosen.dark,
        start="left" if ltr else "right",
        end="right" if ltr else "left",
    )
    return _SPACE_BETWEEN_LINES.sub("\n", text)


def _compiled(mjml: str) -> str:
    try:
        html: str = mjml2html(mjml, fonts={})
    except ValueError as error:
        raise RenderingError(_located(mjml, str(error))) from error
    if "<mj-" in html:
        at = html.index("<mj-")
        raise RenderingError(f"MJML left unread in the HTML: …{html[max(0, at - 40) : at + 40]}…")
    return html


def _located(mjml: str, message: str) -> str:
    """The parser's byte offsets as line and context."""
    match = _POSITION.search(message)
    if not match:
        return f"invalid MJML: {message}"
    before = mjml.encode()[: int(match[1])].decode(errors="ignore")
    line = before.count("\n") + 1
    return f"invalid MJML: {message} (line {line}: …{before[-40:]}⟨here⟩)"


def _finished(html: str, web_url: str) -> str:
    html = in_tags(html, lambda tag: tag.replace(' vertical-align="middle"', ""))
    html = _OUTLOOK_SEAM.sub("", html)
    return html.replace(WEB_URL, html_module.escape(web_url) or WEB_URL)
