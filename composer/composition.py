"""Editions made from stories or from a digest, without anybody at the desk."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from composer import story_copying
from composer.digest import Digest
from composer.intake import import_digest
from composer.models import Edition, Publication, Story
from composer.preheader import preheader_of
from composer.sanitising import paragraphs_to_html


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
    blocks = _copies(stories)
    if digest:
        blocks += _from_digest(edition, publication, digest)
    edition.title = edition.title or publication.title
    edition.content = [("story", value) for value in blocks]
    edition.preheader = preheader_of([value["headline"] for value in blocks])
    edition.full_clean()
    edition.save()
    edition.save_revision(user=by, log_action="wagtail.create", clean=False)
    return edition


def _copies(stories: Iterable[Story]) -> list[dict[str, Any]]:
    return [story_copying.copy_of(story) for story in stories]


def _from_digest(edition: Edition, publication: Publication, digest: Digest) -> list[dict[str, Any]]:
    edition.title = edition.title or digest.title
    edition.introduction = paragraphs_to_html(digest.introduction)
    edition.closing_heading = digest.closing_heading
    edition.closing = paragraphs_to_html(digest.closing)
    if digest.call_to_action:
        edition.call_to_action_label = digest.call_to_action.text
        edition.call_to_action_url = digest.call_to_action.url
    taken = import_digest(publication, digest).stories
    return [
        {
            **story_copying.copy_of(story),
            "headline": incoming.headline,
            "lede": incoming.lede,
            "body": incoming.body_html,
        }
        for story, incoming in zip(taken, digest.stories, strict=True)
    ]
