"""An edition rendered in all its variants, and everything the checks have to say about it."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from django.utils import timezone, translation

from composer import history
from composer.checks import ExternalFacts, LinkReport, Problem, SpamReport, check, links_to_check
from composer.checks.context import named_blocks
from composer.claims.source_changes import SourceChange
from composer.content import EditionContent, TooManySegmentsError, Variant, variants
from composer.conversion import ImageSource, edition_content
from composer.images import UnreadableImageError, preview
from composer.models import Edition
from composer.rendering import Rendering, RenderingError, UnknownThemeError, render
from composer.same_story.in_edition import similarity
from composer.sanitising import TextTooLargeError
from composer.source_texts import source_texts

Rendered = tuple[tuple[Variant, Rendering | None], ...]
#: Given addresses → what is known of them; those not checked yet are missing.
LinkLookup = Callable[[Collection[str]], Mapping[str, LinkReport]]
#: The edition → what had changed in the sources of its stories, by block.
SourceLookup = Callable[[Edition], Mapping[str, Sequence[SourceChange]]]
#: SpamAssassin's opinion of a rendering; None where it is not at hand.
SpamScorer = Callable[[EditionContent, Rendering], SpamReport | None]

_CODES: dict[type[Exception], str] = {
    TextTooLargeError: "text.too_much",
    TooManySegmentsError: "audience.too_many",
    UnreadableImageError: "image.unreadable",
    RenderingError: "theme.broken",
    UnknownThemeError: "theme.unknown",
}
#: Meant for the edition as it is written, not for what a segment's absence leaves of it.
_OF_THE_WHOLE = frozenset({"stories.too_few", "stories.miscounted"})


@dataclass(frozen=True, kw_only=True)
class Inspection:
    content: EditionContent | None
    #: Every variant with its rendering; None for the one without a story. Empty when rendering failed.
    variants: Rendered
    problems: tuple[Problem, ...]

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.level == "error")


def inspect(
    edition: Edition,
    *,
    images: ImageSource = preview,
    links: LinkLookup | None = None,
    spam: SpamScorer | None = None,
) -> Inspection:
    """Render and check the edition under its publication's language and timezone. Raises for nothing editors wrote.

    Nothing is fetched here: `links` tells what is known of the links already, and without it they are not spoken of.
    """
    return check_again(edition, rendered(edition, images=images), links=links, spam=spam)


def rendered(edition: Edition, *, images: ImageSource = preview) -> Inspection:
    """The same without the checks, for whoever calls `check_again` with more facts: they take as long as the rendering."""
    publication = edition.publication
    content: EditionContent | None = None
    with translation.override(publication.language), timezone.override(publication.zone):
        try:
            content = edition_content(edition, images=images)
            made = tuple(
                (variant, None if variant.empty else render(variant.content, theme=publication.theme))
                for variant in variants(content)
            )
        except tuple(_CODES) as error:
            return _unrendered(content, error)
    return Inspection(content=content, variants=made, problems=())


def check_again(
    edition: Edition,
    inspection: Inspection,
    *,
    links: LinkLookup | None = None,
    spam: SpamScorer | None = None,
    sources: SourceLookup | None = None,
) -> Inspection:
    """The same rendering, with what the checks say of it when they know this much of links, spam and sources."""
    content, variants_made, publication = inspection.content, inspection.variants, edition.publication
    if content is None or not variants_made:
        return inspection
    with translation.override(publication.language), timezone.override(publication.zone):
        try:
            facts = ExternalFacts(
                today=timezone.localdate(),
                history=history.of(edition),
                links=_known_links(content, variants_made, links),
                similarity=similarity(edition),
                sources=source_texts(edition),
                source_changes=sources(edition) if sources else {},
            )
            problems = tuple(_problems(content, publication.theme, variants_made, facts, spam))
        except tuple(_CODES) as error:
            return _unrendered(content, error)
    ordered = tuple(sorted(problems, key=lambda problem: problem.level != "error"))
    return Inspection(content=content, variants=variants_made, problems=ordered)


def _unrendered(content: EditionContent | None, error: Exception) -> Inspection:
    code = next(code for kind, code in _CODES.items() if isinstance(error, kind))
    problem = Problem(level="error", code=code, message=str(error))
    return Inspection(content=content, variants=(), problems=(problem,))


def links_of(content: EditionContent, rendered: Rendered) -> tuple[str, ...]:
    """Every web address a reader of any variant can follow."""
    urls: dict[str, None] = {}
    for _, rendering in rendered:
        if rendering is not None:
            urls.update(dict.fromkeys(links_to_check(rendering, web_url=content.web_url)))
    return tuple(urls)


def _known_links(
    content: EditionContent, rendered: Rendered, links: LinkLookup | None
) -> Mapping[str, LinkReport] | None:
    return None if links is None else links(links_of(content, rendered))


def _problems(
    content: EditionContent, theme: str, rendered: Rendered, facts: ExternalFacts, spam: SpamScorer | None
) -> Iterator[Problem]:
    """The problems of the whole edition, then those that only show in what some readers see of it."""
    whole = next((rendering for variant, rendering in rendered if variant.content == content), None)
    shown = whole or render(content, theme=theme)
    problems = check(content, shown, replace(facts, spam=spam(content, shown) if spam else None))
    yield from problems
    known = {(problem.code, problem.message) for problem in problems}
    for variant, rendering in rendered:
        if rendering is None or rendering is whole:
            continue
        for problem in check(variant.content, rendering, facts):
            if problem.code not in _OF_THE_WHOLE and (problem.code, problem.message) not in known:
                known.add((problem.code, problem.message))
                yield replace(problem, where=_in_the_whole(problem.where, variant.content, content))


def _in_the_whole(where: str, shown: EditionContent, whole: EditionContent) -> str:
    """What the edition as it is written calls the block that this variant calls so: some readers' story 2 may be its 4."""
    key = next((block.key for name, block in named_blocks(shown) if name == where), None)
    return next((name for name, block in named_blocks(whole) if block.key == key), where)
