"""What a new edition takes over from the last one, so that an editor starts with last week's frame; and its slot."""

from datetime import datetime

from django.db import IntegrityError, transaction

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


def draft_for_slot(publication: Publication, slot: datetime) -> Edition | None:
    """Make the draft for this slot, with the last edition's frame; None when an edition has the slot already."""
    edition = follow_on(Edition(publication=publication, title=publication.title, slot=slot), publication)
    try:
        with transaction.atomic():
            edition.save()
            edition.save_revision(log_action="wagtail.create", clean=False)
    except IntegrityError:
        # Somebody made one for it a moment ago.
        if Edition.objects.filter(publication=publication, slot=slot).exists():
            return None
        raise
    return edition


def move_to_slot(edition: Edition, slot: datetime) -> bool:
    """Give a draft another slot, as a revision of whoever edited it last; False when another edition has the slot."""
    last = edition.latest_revision
    edition.slot = slot
    try:
        with transaction.atomic():
            # Whoever edited it last stays so: a second person must approve what was written, not when it goes out.
            edition.save_revision(user=last.user if last else None, clean=False)
    except IntegrityError:
        edition.refresh_from_db()
        if Edition.objects.filter(publication=edition.publication_id, slot=slot).exclude(pk=edition.pk).exists():
            return False
        raise
    return True
