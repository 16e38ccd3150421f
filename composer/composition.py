"""Editions made from stories or from a digest, without anybody at the desk."""

from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from composer import story_copying
from composer.digest import Digest
from composer.intake import take_in
from composer.models import Edition, Publication, Story
from composer.preheader import preheader_of


@transaction.atomic
def compose(
    publication: Publication,
    *,
    stories: Sequence[Story] = (),
    digest: Digest | None = None,
    title: str = "",
    subject: str = "",
    by: User | None = None,
) -> Edition:
    """Make the publication's next edition, with copies of the stories in their order, and save its first revision.

    A digest gives title, introduction, stories, closing and call to action; its own words are used even where a story is
    a repeat. Raises ValidationError when the result cannot be stored (a title beyond 200 characters, …).
    """
    edition = Edition(publication=publication, title=title, subject=subject)
    blocks = [("story", story_copying.copy_of(story)) for story in stories]
    if digest:
        blocks += _from_digest(edition, publication, digest)
    edition.title = edition.title or publication.title
    edition.content = blocks
    edition.preheader = preheader_of([value["headline"] for kind, value in blocks if kind == "story"])
    edition.full_clean()
    edition.save()
    edition.save_revision(user=by, log_action="wagtail.create", clean=False)
    return edition


def _from_digest(edition: Edition, publication: Publication, digest: Digest) -> list[tuple[str, dict[str, Any]]]:
    edition.title = edition.title or digest.title
    edition.introduction = digest.introduction_html
    edition.closing_heading = digest.closing_heading
    edition.closing = digest.closing_html
    if digest.call_to_action:
        edition.call_to_action_label = digest.call_to_action.text
        edition.call_to_action_url = digest.call_to_action.url
    taken = take_in(publication, digest).stories
    sections = {section.before: section for section in digest.sections}
    blocks: list[tuple[str, dict[str, Any]]] = []
    for story, incoming in zip(taken, digest.stories, strict=True):
        if incoming.number in sections:
            blocks.append(("section", {"heading": sections[incoming.number].heading, "audience": ""}))
        words = {"headline": incoming.headline, "lede": incoming.lede, "body": incoming.body_html}
        if incoming.source_url or incoming.source_name:
            words |= {"source_name": incoming.source_name, "source_url": incoming.source_url}
        blocks.append(("story", {**story_copying.copy_of(story), **words}))
    return blocks
