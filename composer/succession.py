"""What a new edition takes over from the last one, so that an editor starts with last week's frame."""

from composer.models import Edition, Publication

#: The frame that stays from week to week. Stories, title, subject and preheader are each week's own.
CARRIED = ("introduction", "closing_heading", "closing", "call_to_action_label", "call_to_action_url")


def follow_on(edition: Edition, publication: Publication) -> Edition:
    """Give an unsaved edition its publication and the last edition's frame."""
    edition.publication = publication
    last = publication.editions.order_by("-number").first()
    if last:
        for field in CARRIED:
            setattr(edition, field, getattr(last, field))
    return edition
