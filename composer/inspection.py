"""An edition rendered in all its variants, and everything the checks have to say about it."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils import timezone, translation

from composer.checks import Problem, check
from composer.content import EditionContent, TooManySegments, Variant, variants
from composer.conversion import ImageSource, edition_content
from composer.images import ImageUnreadable, preview
from composer.models import Edition, Placement
from composer.rendering import Rendering, RenderingError, UnknownTheme, render
from composer.sanitising import TooMuch

Rendered = tuple[tuple[Variant, Rendering | None], ...]

_CODES: dict[type[Exception], str] = {
    TooMuch: "text.too_much",
    TooManySegments: "audience.too_many",
    ImageUnreadable: "image.unreadable",
    RenderingError: "theme.broken",
    UnknownTheme: "theme.unknown",
}
#: Meant for the edition as it is written, not for what a segment's absence leaves of it.
_OF_THE_WHOLE = frozenset({"stories.too_few"})


@dataclass(frozen=True, kw_only=True)
class Inspection:
    content: EditionContent | None
    #: Every variant with its rendering; None for the one without a story. Empty when rendering failed.
    variants: Rendered
    problems: tuple[Problem, ...]

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.level == "error")


def inspect(edition: Edition, *, images: ImageSource = preview) -> Inspection:
    """Render and check the edition under its publication's language and timezone. Raises for nothing editors wrote."""
    publication = edition.publication
    with translation.override(publication.language), timezone.override(publication.zone):
        content: EditionContent | None = None
        try:
            content = edition_content(edition, images=images)
            rendered = tuple(
                (variant, None if variant.empty else render(variant.content, theme=publication.theme))
                for variant in variants(content)
            )
            problems = (*_problems(content, publication.theme, rendered), *_ran_before(edition))
        except tuple(_CODES) as error:
            code = next(code for kind, code in _CODES.items() if isinstance(error, kind))
            problem = Problem(level="error", code=code, message=str(error))
            return Inspection(content=content, variants=(), problems=(problem,))
    ordered = tuple(sorted(problems, key=lambda problem: problem.level != "error"))
    return Inspection(content=content, variants=rendered, problems=ordered)


def _problems(content: EditionContent, theme: str, rendered: Rendered) -> Iterator[Problem]:
    """The problems of the whole edition, then those that only show in what some readers see of it."""
    whole = next((rendering for variant, rendering in rendered if variant.content == content), None)
    problems = check(content, whole or render(content, theme=theme))
    yield from problems
    known = {(problem.code, problem.message) for problem in problems}
    for variant, rendering in rendered:
        if rendering is None or rendering is whole:
            continue
        for problem in check(variant.content, rendering):
            if problem.code not in _OF_THE_WHOLE and (problem.code, problem.message) not in known:
                known.add((problem.code, problem.message))
                yield problem


def _ran_before(edition: Edition) -> Iterator[Problem]:
    stories = [child.value["story"] for child in edition.content if child.block_type == "story"]
    earlier = Placement.objects.filter(
        story__in=[story for story in stories if story], edition__publication=edition.publication
    ).exclude(edition=edition.pk)
    ran = dict(earlier.order_by("edition__number").values_list("story", "edition__number"))
    for number, story in enumerate(stories, start=1):
        if story and story.pk in ran:
            yield Problem(
                level="warning",
                code="story.ran_before",
                message=f"it already ran in No. {ran[story.pk]}; take it out, or say what is new",
                where=f"story {number}",
            )
