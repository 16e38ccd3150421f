"""What an approved edition said when it was approved, and which links lead from which of its stories."""

from collections.abc import Iterator
from typing import NamedTuple

from lxml import html as lxml_html
from wagtail.models import ModelLogEntry

from composer.content import EditionContent, StoryBlock, numbered
from composer.conversion import edition_content
from composer.models import Approval, Edition


class StoryLinks(NamedTuple):
    """A story of the mail, by the number readers see, and the addresses it links to."""

    number: int
    headline: str
    #: Headline, picture and source share one; those in its text stand behind it.
    urls: tuple[str, ...]


def frozen_content(approval: Approval) -> EditionContent:
    """The edition as this approval froze it, without its pictures.

    As long as the approval stands the edition is locked, so that it is the edition itself; later it is the revision that
    was approved. One approved without any revision is told as the edition is now.
    """
    edition = approval.edition
    if not approval.stands:
        entries = ModelLogEntry.objects.filter(action="newsdesk.approve", data__approval=approval.pk)
        entry = entries.exclude(revision=None).select_related("revision").first()
        if entry is not None and isinstance(saved := entry.revision.as_object(), Edition):
            edition = saved
    return edition_content(edition, images=lambda _: None)


def story_links(content: EditionContent) -> tuple[StoryLinks, ...]:
    """The stories in the order of the mail. An address that several of them name is the first one's."""
    taken: set[str] = set()
    found = []
    for number, story in numbered(content):
        urls = tuple(url for url in dict.fromkeys(_urls(story)) if url not in taken)
        taken.update(urls)
        found.append(StoryLinks(number, story.headline, urls))
    return tuple(found)


def _urls(story: StoryBlock) -> Iterator[str]:
    if story.source_url:
        yield story.source_url
    if story.body_html:
        for _, attribute, url, _ in lxml_html.fragment_fromstring(story.body_html, create_parent="div").iterlinks():
            if attribute == "href":
                yield url
