"""What is wrong with a theme's files, by file and line, found without rendering anything."""

import re
from collections.abc import Iterator
from dataclasses import fields

from jinja2 import Environment, TemplateSyntaxError

from composer import content
from composer.brand import DERIVED, Look
from composer.entities import unescape
from composer.rendering.errors import Fault
from composer.rendering.result import Links
from composer.rendering.strings import Words
from composer.rendering.themes import confinement, stylesheets
from composer.rendering.themes.folder import Folder
from composer.rendering.themes.manifest import Manifest
from composer.rendering.view import Entry, Group, View

#: What `composer.rendering.pipeline` hands to the document, and its macros through `import … with context`.
NAMES = frozenset({"css", "dark", "edition", "end", "light", "links", "look", "non_latin"})
NAMES |= {"preheader_padding", "publication", "start", "view", "words"}
_TYPES = (
    *(content.EditionContent, content.PublicationContent, content.Image, content.CallToAction),
    *(content.StoryBlock, content.SectionBlock, content.NoteBlock, content.SponsorBlock, content.ButtonBlock),
    *(content.DividerBlock, content.CorrectionBlock, View, Entry, Group, Words, Links, Look),
)
_ATTRIBUTES = frozenset(field.name for one in _TYPES for field in fields(one)) | {"shown_width"}

#: What must never stand in a mail: it runs, fetches, or reads a file.
_FORBIDDEN_TAG = re.compile(
    r"<\s*/?\s*(?:script|iframe|frame|object|embed|applet|form|input|link|base|svg|math|mj-include|mj-html-attributes)\b",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"[\"'=](?:javascript|vbscript|data):", re.IGNORECASE)
#: “>” inside quotes does not end a tag.
_TAG = re.compile(r"<[a-z](?:\"[^\"]*\"|'[^']*'|[^\"'<>])*", re.IGNORECASE)
_VALUE = re.compile(r"\"[^\"]*\"|'[^']*'")
_ATTRIBUTE = re.compile(r"\b(?:on[a-z]+|formaction|srcdoc)\s*=", re.IGNORECASE)
_REFRESH = re.compile(r"http-equiv\s*=\s*[\"']?\s*refresh", re.IGNORECASE)
_UNITLESS = re.compile(r"""\bpadding(?:-\w+)?=["'](?:[^"']*\s)?0(?:\s[^"']*)?["']""")


def faults(
    folder: Folder, manifest: Manifest | None, environment: Environment, shared: frozenset[str]
) -> tuple[Fault, ...]:
    colours = frozenset(manifest.light) | set(DERIVED) if manifest else frozenset()
    allowed = confinement.AllowedNames(
        names=NAMES,
        attributes=_ATTRIBUTES | {colour.replace("-", "_") for colour in colours},
        templates=shared | folder.templates.keys(),
    )
    results: list[Fault] = []
    for name, text in folder.files.items():
        if name.endswith(".css") and manifest:
            variables = colours | {"radius", "text-font", "heading-font"}
            results += stylesheets.faults(name, text, variables.__contains__)
        elif name in folder.templates:
            results += _template(name, text, environment, allowed)
    return tuple(dict.fromkeys(results))


def _template(name: str, text: str, environment: Environment, allowed: confinement.AllowedNames) -> Iterator[Fault]:
    for number, line in enumerate(text.splitlines(), start=1):
        for bad in forbidden(line):
            yield Fault(file=name, line=number, message=f"“{bad}” has no place in a mail")
        if _UNITLESS.search(line):
            yield Fault(file=name, line=number, message="write 0px, not 0: MJML reckons column widths from it")
    try:
        results = list(confinement.faults(environment, text, allowed))
        if not results:
            environment.compile(text, name)  # only then: compiling works out what is constant, such as 9 ** 9999999
        yield from (Fault(file=name, line=line_number, message=message) for line_number, message in results)
    except TemplateSyntaxError as error:
        yield Fault(file=name, line=error.lineno, message=error.message or "not a Jinja template")
    except RecursionError:
        yield Fault(file=name, message="its expressions are nested too deeply")
    except ValueError as error:
        # A number of more than 4300 digits, which Python does not read.
        yield Fault(file=name, message=f"it cannot be read: {error}")


def forbidden(markup: str) -> Iterator[str]:
    """Every piece of a template's line that no mail may hold. What the template makes of it is looked at again (`output`)."""
    yield from forbidden_tags(markup)
    # As browsers read an address: entities resolved, white space and control characters passed over.
    for scheme in _SCHEME.finditer(re.sub(r"[\s\x00-\x1f]+", "", unescape(markup))):
        yield scheme[0]
    for tag in _TAG.finditer(markup):
        attribute = _ATTRIBUTE.search(_VALUE.sub("", tag[0])) or _REFRESH.search(tag[0])
        if attribute:
            yield attribute[0]


def forbidden_tags(markup: str) -> Iterator[str]:
    """Every tag that no mail may hold, those of MJML that read files included."""
    for match in _FORBIDDEN_TAG.finditer(markup):
        yield match[0].strip()
