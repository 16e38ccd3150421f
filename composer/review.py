"""An edition between its author and whoever may approve it: asking for an approval, and sending it back with a note."""

from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from wagtail.log_actions import log

from composer.models import Approval, Edition, Review
from newsdesk.core.errors import InputError, RefusedError

#: Characters.
LONGEST_NOTE = 1000


class ReviewRefusedError(RefusedError):
    """It does not stand so that this can be done; the message says what to do."""


@transaction.atomic
def ask_for_approval(edition: Edition, *, by: Any, note: str = "") -> Review:
    """Tell whoever may approve that the edition is ready for them. Asking again adds nothing.

    Raises ReviewRefusedError for an edition that is approved.
    """
    current = _draft(edition)
    standing = standing_review(current)
    if standing is not None and standing.kind == Review.Kind.ASKED:
        return standing
    return _add(current, Review.Kind.ASKED, by, note=note, to=None)


@transaction.atomic
def send_back(edition: Edition, *, by: Any, note: str) -> Review:
    """Give it back to whoever asked, else to whoever edited it last, with a note that says why.

    Raises InputError without a note, and ReviewRefusedError for an edition that is approved.
    """
    note = note.strip()
    if not note:
        raise InputError("say what has to change: the author sees only this note")
    if len(note) > LONGEST_NOTE or "\x00" in note:
        raise InputError(f"the note is longer than {LONGEST_NOTE} characters, or holds one that no text has")
    current = _draft(edition)
    asked = current.reviews.filter(kind=Review.Kind.ASKED).exclude(by=None).first()
    last = current.latest_revision
    author = asked.by if asked else (last.user if last else None)
    return _add(current, Review.Kind.SENT_BACK, by, note=note, to=author)


def standing_review(edition: Edition) -> Review | None:
    """Where it stands between author and approver; None when nobody asked, or it was approved since."""
    return _standing().filter(edition=edition).select_related("by", "to").first() if edition.pk else None


def waiting(kind: Review.Kind) -> "QuerySet[Review]":
    """The editions that stand so, the one that waits longest first."""
    later = Review.objects.filter(edition=OuterRef("edition"), pk__gt=OuterRef("pk"))
    newest = _standing().filter(~Exists(later), kind=kind)
    return newest.select_related("edition__publication", "edition__latest_revision", "by").order_by("pk")


def _standing() -> "QuerySet[Review]":
    """Those that no approval has answered."""
    since = Approval.objects.filter(edition=OuterRef("edition"), approved_at__gt=OuterRef("at"))
    return Review.objects.filter(~Exists(since))


def _draft(edition: Edition) -> Edition:
    """The edition, its row locked. Raises ReviewRefusedError where it is approved."""
    current = Edition.objects.select_for_update(no_key=True, of=("self",)).get(pk=edition.pk)
    if current.approval is not None:
        raise ReviewRefusedError(f"{current} is approved already; reopen it first")
    return current


def _add(edition: Edition, kind: Review.Kind, by: Any, *, note: str, to: Any) -> Review:
    review = Review.objects.create(edition=edition, kind=kind, by=by, note=note, to=to)
    action = "newsdesk.ask" if kind == Review.Kind.ASKED else "newsdesk.send_back"
    log(instance=edition, action=action, user=by, revision=edition.latest_revision, data={"note": note})
    return review
