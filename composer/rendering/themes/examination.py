"""What is wrong with a theme's files, by file and line, found without rendering anything."""

import re
from collections.abc import Iterator
from dataclasses import fields

from jinja2 import Environment, TemplateSyntaxError

from composer import content
from composer.brand import DERIVED, Look
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
_ATTRIBUTES = frozenset(field.name for one in _TYPES for field in fields(one))

#: What must never stand in a mail: it runs, fetches, or reads a file.
_FORBIDDEN = re.compile(
    r"<\s*/?\s*(?:script|iframe|frame|object|embed|applet|form|input|link|base|svg|math|mj-include|mj-html-attributes)\b"
    r"|[\"'=]\s*(?:javascript|vbscript|data):",
    re.IGNORECASE,
)
_TAG = re.compile(r"<[a-z][^<>]*>", re.IGNORECASE)
_VALUE = re.compile(r"\"[^\"]*\"|'[^']*'")
_HANDLER = re.compile(r"\bon[a-z]+\s*=", re.IGNORECASE)
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


def forbidden(markup: str) -> Iterator[str]:
    """Every piece of markup that no mail may hold."""
    for match in _FORBIDDEN.finditer(markup):
        yield match[0].strip()
    for tag in _TAG.finditer(markup):
        handler = _HANDLER.search(_VALUE.sub("", tag[0]))
        if handler:
            yield handler[0]
