"""Where on the edition's page a problem is mended: the field, or the block and the field in it."""

from dataclasses import dataclass

from django.urls import reverse

from composer.checks import Problem
from composer.models import Edition

#: What the checks call a part of the edition → its field in the form.
_FIELDS = {
    "title": "title",
    "subject": "subject",
    "preheader": "preheader",
    "introduction": "introduction",
    "closing": "closing",
    "call to action": "call_to_action_label",
}
#: Codes, whole or the part before the dot, whose place is one field: of a block where the problem names one.
_FIELDS_OF_CODES = {
    "cta.no_link": "call_to_action_url",
    "image.no_alt": "alt",
    "image.generic_alt": "alt",
    "image": "image",
    "story.no_headline": "headline",
    "story.no_text": "lede",
    "section.no_heading": "heading",
    "audience": "audience",
    "language": "language",
}
#: What is the publication's to mend.
_PUBLICATIONS = frozenset({"footer", "contrast", "client", "theme", "html"})


@dataclass(frozen=True, kw_only=True)
class Place:
    #: Where the link leads; a fragment for something on the page.
    href: str
    #: The form's field, or the block's field where a block is named; empty: the block itself.
    field: str = ""
    #: The block's UUID; empty for a field of the form.
    block: str = ""


def place_of(problem: Problem, edition: Edition) -> Place:
    """The place of the problem; for what the edition as a whole lacks, its stories."""
    field = _FIELDS_OF_CODES.get(problem.code) or _FIELDS_OF_CODES.get(problem.code.partition(".")[0], "")
    where = problem.where.partition(",")[0]
    if block := _block(where, edition):
        return Place(href=f"#block-{block}-section", field=field, block=block)
    if where in _FIELDS:
        name = field if where == "call to action" and field else _FIELDS[where]
        return Place(href=f"#id_{name}", field=name)
    if problem.code.partition(".")[0] in _PUBLICATIONS or where in {"publication", "footer"}:
        return Place(href=reverse("publication:edit", args=[edition.publication_id]))
    return Place(href="#panel-content-section", field="content")


def _block(where: str, edition: Edition) -> str:
    kind, _, number = where.partition(" ")
    if kind not in {"story", "block"} or not number.isdigit():
        return ""
    named = [child for child in edition.content if kind == "block" or child.block_type == "story"]
    return str(named[int(number) - 1].id) if 0 < int(number) <= len(named) else ""
