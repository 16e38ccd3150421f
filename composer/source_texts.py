"""The sources of an edition's stories, for the checks alone: no mail and no frozen byte has their texts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from composer.claims.looking_up import Claim
from composer.claims.source_changes import Origin, claims_of
from composer.models import Edition, Story

_ORIGINS: Mapping[str, Origin] = {Story.Origin.URL: "page", Story.Origin.FEED: "feed"}


@dataclass(frozen=True, kw_only=True)
class SourcedStory:
    """A story of an edition that names a web page as its source."""

    #: The block's.
    key: str
    #: As the checks count: “story 3”.
    number: int
    headline: str
    claims: Sequence[Claim]
    url: str
    #: The source's text as it was taken in; "" where none is stored.
    stored: str
    origin: Origin
    #: BCP 47.
    language: str


def source_texts(edition: Edition) -> dict[str, str]:
    """By block; a block has the text of the story it was copied from. Blocks without one are missing."""
    stories = {str(child.id): child.value["story"] for child in edition.content if child.block_type == "story"}
    return {key: story.source_text for key, story in stories.items() if story and story.source_text.strip()}


def sourced_stories(edition: Edition) -> Iterator[SourcedStory]:
    """Those with a source on the web, in the edition's order."""
    blocks = [child for child in edition.content if child.block_type == "story"]
    for number, child in enumerate(blocks, start=1):
        value, story = child.value, child.value["story"]
        url = value["source_url"].strip()
        if not url.lower().startswith(("http://", "https://")):
            continue
        yield SourcedStory(
            key=str(child.id),
            number=number,
            headline=value["headline"],
            claims=claims_of(value["headline"], value["lede"], value["body"].source),
            url=url,
            stored=story.source_text if story else "",
            origin=_ORIGINS.get(story.origin, "other") if story else "other",
            language=value["language"].strip() or edition.publication.language,
        )
