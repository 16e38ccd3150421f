"""Where each publication's coming edition stands: number, slot, state, and what is missing until it can go out."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.cache import cache
from django.db.models import Case, Exists, F, IntegerField, OuterRef, QuerySet, Value, When
from django.urls import reverse

from composer import slots
from composer.models import Edition, Publication
from composer.permissions import Right, publications
from tasks.approvals.approving import check_edition
from tasks.database import clock
from tasks.models import Send
from tasks.slots.active_recurrence import DEFAULT_LATE_LIMIT
from web.desk.status import status_of, with_status
from web.desk.times import countdown, on_clock

#: Seconds for which the checks' word about a revision holds; what is known of its links may change meanwhile.
CHECKS_HOLD = 600
#: Publications beyond are a click away; of each one's errors as many are said.
SHOWN = 6
ERRORS_SHOWN = 3


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What the checks say of one revision."""

    errors: tuple[str, ...] = ()
    warnings: int = 0
    stories: int = 0


@dataclass(frozen=True, kw_only=True)
class ThisWeek:
    publication: Publication
    edition: Edition | None
    status: str = ""
    #: On the publication's clock; of the next slot, where there is no edition yet.
    slot: str = ""
    countdown: str = ""
    checked: Checked = field(default_factory=Checked)
    #: In words: "a subject", "approval".
    missing: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        return reverse("wagtailsnippets_composer_edition:edit", args=[self.edition.pk]) if self.edition else ""


def this_week(user: Any) -> list[ThisWeek]:
    """One for each publication, by title; a dozen queries, and a rendering for a revision not looked at lately."""
    now = clock.now()
    seen = list(publications(user, Right.SEE).order_by("title", "pk")[:SHOWN])
    coming = {edition.publication_id: edition for edition in _coming(seen, now)}
    return [_of(publication, coming.get(publication.pk), now, user) for publication in seen]


def _coming(seen: list[Publication], now: datetime) -> "QuerySet[Edition]":
    """Of each publication the edition that comes next: with the nearest slot, else the newest that has not gone out."""
    is_out = Send.objects.filter(edition=OuterRef("pk"), status=Send.Status.SENT)
    # Weekly slots that are over for longer were decided about.
    ahead = When(slot__gt=now - DEFAULT_LATE_LIMIT, then=Value(0))
    editions = Edition.objects.filter(~Exists(is_out), publication__in=seen)
    ordered = editions.annotate(rank=Case(ahead, default=Value(1), output_field=IntegerField())).annotate(
        near=Case(When(rank=0, then=F("slot")))
    )
    nearest = ordered.order_by("publication_id", "rank", "near", "-created_at", "-pk").distinct("publication_id")
    return with_status(nearest).select_related("publication", "latest_revision")


def _of(publication: Publication, edition: Edition | None, now: datetime, user: Any) -> ThisWeek:
    moment = edition.slot if edition else slots.next_slot(publication, now)
    slot, left = (on_clock(moment, publication.zone), countdown(moment, now)) if moment else ("", "")
    if edition is None:
        return ThisWeek(publication=publication, edition=None, slot=slot, countdown=left)
    status = status_of(edition)
    checked = _checked(edition) if status == "draft" else Checked(stories=_stories(edition))
    return ThisWeek(
        publication=publication,
        edition=edition,
        status=status,
        slot=slot,
        countdown=left,
        checked=checked,
        missing=tuple(_missing(edition, checked, user)) if status == "draft" else (),
    )


def _stories(edition: Edition) -> int:
    return sum(block.block_type == "story" for block in edition.content)


def _checked(edition: Edition) -> Checked:
    # Looking costs a rendering, and an edition is looked at more often than saved.
    key = f"desk-checked-{edition.pk}-{edition.latest_revision_id}"
    kept: Checked | None = cache.get(key)
    if kept is None:
        problems = check_edition(edition)
        errors = (one for one in problems if one.level == "error")
        kept = Checked(
            errors=tuple(f"{one.where}: {one.message}" if one.where else one.message for one in errors),
            warnings=sum(one.level != "error" for one in problems),
            stories=_stories(edition),
        )
        cache.set(key, kept, CHECKS_HOLD)
    return kept


def _missing(edition: Edition, checked: Checked, user: Any) -> list[str]:
    missing = list(checked.errors[:ERRORS_SHOWN])
    if len(checked.errors) > ERRORS_SHOWN:
        missing.append(f"{len(checked.errors) - ERRORS_SHOWN} more errors")
    if not edition.subject:
        missing.append("a subject (the title stands for it)")
    last = edition.latest_revision
    if edition.publication.second_approver and last and last.user_id == user.pk:
        missing.append("approval by somebody else, since you edited it last")
    else:
        missing.append("approval")
    return missing
