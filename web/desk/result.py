"""The result of an edition in words and pictures: every rate with its base, every picture with its table."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString

from composer.models import Edition
from tasks.sends.results import HOURS, EditionFigures, Results, StoryClicks
from web.desk import charts


@dataclass(frozen=True, kw_only=True)
class Figure:
    """“402 people clicked”, “of 2,958 delivered”."""

    number: str
    words: str
    base: str
    share: str


@dataclass(frozen=True, kw_only=True)
class StoryRow:
    story: StoryClicks
    share: str
    #: How long its bar is, of 100.
    length: int


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One rate of this edition beside the same of those before it."""

    name: str
    now: str
    chart: SafeString


def shown_result(edition: Edition, came_of_it: Results) -> dict[str, Any]:
    """What the template shows."""
    compared = (*came_of_it.earlier, _this(edition, came_of_it))
    totals = came_of_it.totals
    return {
        "figures": _figures(came_of_it),
        "opens": Figure(
            number=f"{totals.opened:,}",
            words="opens: machines open too",
            base=f"of {_tracked(totals.tracked)}; {_by_machines(came_of_it.machine_opens)}",
            share=percent(totals.opened, totals.tracked),
        ),
        "clicked": totals.clicked,
        "stories": _stories(came_of_it),
        "links": came_of_it.links,
        "more_links": came_of_it.more_links,
        "over_time": _over_time(came_of_it),
        "hours": list(enumerate(came_of_it.by_hour, start=1)),
        "comparisons": _comparisons(compared) if came_of_it.earlier else [],
        "compared": [_row(one) for one in reversed(compared)] if came_of_it.earlier else [],
    }


def percent(part: int, whole: int) -> str:
    """“13.6 %”; empty of nothing."""
    return f"{100 * part / whole:.1f}\u00a0%" if whole else ""


def _figures(came_of_it: Results) -> list[Figure]:
    totals = came_of_it.totals
    out, delivered = totals.submitted, totals.delivered
    told = [
        (delivered, "delivered", out, "handed to the provider"),
        (totals.clicked, _people(totals.clicked, "clicked"), totals.tracked, _readers(totals.tracked)),
        (totals.bounced, "bounced", out, "handed to the provider"),
        (totals.complained, "complained of spam", delivered, "delivered"),
        (totals.unsubscribed, "unsubscribed", delivered, "delivered"),
        (totals.failed, "failed: the provider refused them", totals.readers, "it is for"),
        (totals.unknown, "of whom nobody knows whether they got it", totals.readers, "it is for"),
    ]
    return [
        Figure(number=f"{number:,}", words=words, base=f"of {base:,} {of}", share=percent(number, base))
        for number, words, base, of in told
    ]


def _tracked(count: int) -> str:
    return f"{count:,} {_readers(count)}"


def _readers(count: int) -> str:
    return f"tracked {'reader' if count == 1 else 'readers'}"


def _by_machines(count: int) -> str:
    return f"{count:,} {'mail was' if count == 1 else 'mails were'} opened by machines for certain and not counted"


def _people(count: int, did: str) -> str:
    return f"{'person' if count == 1 else 'people'} {did}"


def _stories(came_of_it: Results) -> list[StoryRow]:
    most = max((story.people for story in came_of_it.stories), default=0) or 1
    clicked = came_of_it.totals.clicked
    return [
        StoryRow(story=story, share=percent(story.people, clicked), length=round(100 * story.people / most))
        for story in came_of_it.stories
    ]


def _over_time(came_of_it: Results) -> SafeString:
    by_hour = came_of_it.by_hour
    last = by_hour[-1] if by_hour else 0
    half = next((hour for hour, people in enumerate(by_hour, start=1) if people * 2 >= last), 0)
    description = f"{last:,} {_people(last, 'had clicked')} {len(by_hour)} hours after the beginning"
    if last:
        description += f", half of them within {half} {'hour' if half == 1 else 'hours'}"
    title = f"People who clicked, hour by hour, in the first {HOURS} hours"
    return charts.line("clicks-over-time", by_hour, title=title, description=f"{description}.", unit="h", span=HOURS)


def _this(edition: Edition, came_of_it: Results) -> EditionFigures:
    totals = came_of_it.totals
    return EditionFigures(
        edition_id=edition.pk,
        number=edition.number,
        title=edition.title,
        submitted=totals.submitted,
        delivered=totals.delivered,
        bounced=totals.bounced,
        unsubscribed=totals.unsubscribed,
        clicked=totals.clicked,
        tracked=totals.tracked,
    )


#: What is compared: its key, name, and the numbers of an edition it is the rate of.
_RATES = (
    ("delivered", "Delivered, of those handed to the provider", "delivered", "submitted"),
    ("clicked", "People who clicked, of those tracked", "clicked", "tracked"),
    ("bounced", "Bounced, of those handed to the provider", "bounced", "submitted"),
    ("unsubscribed", "Unsubscribed, of those delivered", "unsubscribed", "delivered"),
)


def _comparisons(compared: Sequence[EditionFigures]) -> list[Comparison]:
    shown = []
    for key, name, part, whole in _RATES:
        rates = [_rate(one, part, whole) for one in compared]
        before = sorted(rates[:-1])
        middle = before[len(before) // 2]
        description = (
            f"{rates[-1]:.1f} % in this edition; in the {len(before)} before it from {before[0]:.1f} % to {before[-1]:.1f} %, "
            f"in the middle {middle:.1f} %."
        )
        chart = charts.bars(f"compared-{key}", rates, title=name, description=description)
        shown.append(Comparison(name=name, now=f"{rates[-1]:.1f} %, before {middle:.1f} %", chart=chart))
    return shown


def _row(one: EditionFigures) -> dict[str, Any]:
    return {
        "edition": one,
        "rates": [f"{_rate(one, part, whole):.1f} %" for _, _, part, whole in _RATES],
    }


def _rate(one: EditionFigures, part: str, whole: str) -> float:
    base = getattr(one, whole)
    return 100 * getattr(one, part) / base if base else 0.0
