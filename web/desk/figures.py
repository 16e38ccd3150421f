"""The first page's figures: what came in, what goes out and went out, and readers gained and lost."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.core.cache import cache
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum
from django.utils.safestring import SafeString

from composer.models import Placement, Source, Story
from composer.permissions import Right, publication_ids, within
from subscribers.growth import last_days
from subscribers.models import Consent, Subscription
from tasks.database import clock
from tasks.models import Batch, Send
from web.desk import charts
from web.desk.scheduling import spoken
from web.desk.times import countdown

WEEK = timedelta(days=7)
SENDS_SHOWN = 3
#: Seconds. Counting a million subscriptions takes a tenth of a second: once in a while is enough.
READERS_HOLD = 600
#: Where that is kept; the publications follow, or "all".
READERS_KEY = "desk-readers-growth-"
GROWTH_DAYS = 30
_TRACKED = Q(status=Batch.Status.SUBMITTED, tracked=True)


@dataclass(frozen=True, kw_only=True)
class NextSend:
    send: Send
    at: str
    countdown: str


@dataclass(frozen=True, kw_only=True)
class LastSend:
    send: Send
    at: str
    delivered: int
    clicked: int
    #: Whose clicks the provider was asked to report.
    tracked: int

    @property
    def clicked_percent(self) -> int:
        return round(100 * self.clicked / self.tracked) if self.tracked else 0


@dataclass(frozen=True, kw_only=True)
class Readers:
    """Active subscriptions, and the yeses and noes of the last seven days, over all lists."""

    active: int
    gained: int
    lost: int
    #: Active subscriptions as days ended, of the last thirty that are stored.
    growth: tuple[tuple[date, int], ...]

    @property
    def in_words(self) -> str:
        """Where the growth began and ended; "" as long as there is no line to draw."""
        if len(self.growth) < 2:
            return ""
        (first, then), (last, now) = self.growth[0], self.growth[-1]
        return f"{then:,} at the end of {first:%-d %B}, {now:,} at the end of {last:%-d %B %Y} (UTC)"

    @property
    def chart(self) -> SafeString:
        values = [active for _, active in self.growth]
        return charts.sparkline(
            "readers-growth",
            [(day.toordinal(), active) for day, active in self.growth],
            title="Active subscriptions, day by day",
            description=f"{self.in_words}; in between from {min(values):,} to {max(values):,}.",
        )


def inbox(user: Any) -> dict[str, int]:
    """Stories of the last week that no edition has yet; sources, and those that fail."""
    used = Placement.objects.filter(story=OuterRef("pk"))
    new = Story.objects.filter(~Exists(used), created_at__gt=clock.now() - WEEK, archived_at=None)
    stories = within(new, user, Right.SEE)
    sources = within(Source.objects.filter(is_active=True), user, Right.SOURCES)
    return {"stories": stories.count(), "sources": sources.count(), "failing": sources.exclude(error="").count()}


def next_sends(user: Any) -> list[NextSend]:
    now = clock.now()
    scheduled = _of(Send.objects.filter(status=Send.Status.SCHEDULED), user, Right.SEE)
    return [
        NextSend(send=send, at=spoken(send.scheduled_at, send.edition), countdown=countdown(send.scheduled_at, now))
        for send in scheduled.select_related("edition__publication").order_by("scheduled_at")[:SENDS_SHOWN]
    ]


def last_sends(user: Any) -> list[LastSend]:
    """The newest that have begun to go out, each with what was reported: a few hundred rows for a million readers."""
    gone_out = Send.objects.filter(prepared_at__isnull=False).exclude(status=Send.Status.CANCELLED)
    begun = _of(gone_out, user, Right.RESULTS)
    sends = list(begun.select_related("edition__publication").order_by("-prepared_at")[:SENDS_SHOWN])
    batches = Batch.objects.filter(send__in=sends).values("send")
    sums: dict[int, Any] = {
        row["send"]: row
        for row in batches.annotate(
            delivered=Sum("delivered"),
            clicked=Sum("clicked"),
            tracked=Sum(F("size") - F("excluded") - F("failed"), filter=_TRACKED, default=0),
        )
    }
    return [
        LastSend(
            send=send,
            at=spoken(send.prepared_at, send.edition),  # type: ignore[arg-type]  # begun sends have it
            delivered=sums.get(send.pk, {}).get("delivered", 0),
            clicked=sums.get(send.pk, {}).get("clicked", 0),
            tracked=sums.get(send.pk, {}).get("tracked", 0),
        )
        for send in sends
    ]


def _of(sends: "QuerySet[Send]", user: Any, right: Right) -> "QuerySet[Send]":
    return within(sends, user, right, path="edition__publication_id")


def readers(user: Any) -> Readers:
    """Of the publications whose readers the user may see. Counted at most every ten minutes in each process."""
    ids = publication_ids(user, Right.READERS)
    key = f"{READERS_KEY}{'all' if ids is None else '.'.join(map(str, sorted(ids)))}"
    kept: Readers | None = cache.get(key)
    if kept is None:
        since = clock.now() - WEEK
        seen = {"path": "list__publication_id"}
        consents = within(Consent.objects.filter(at__gt=since), user, Right.READERS, **seen)
        kinds = consents.order_by().values_list("kind")
        week = dict(kinds.annotate(readers=Count("subscriber", distinct=True)))
        subscriptions = Subscription.objects.filter(status=Subscription.Status.ACTIVE)
        active = within(subscriptions, user, Right.READERS, **seen).count()
        days = within(last_days(GROWTH_DAYS), user, Right.READERS, **seen).order_by("day").values_list("day")
        kept = Readers(
            active=active,
            gained=week.get("given", 0),
            lost=week.get("withdrawn", 0),
            growth=tuple(days.annotate(readers=Sum("active"))),
        )
        cache.set(key, kept, READERS_HOLD)
    return kept
