"""When a publication comes out: its weekly slots, on its own clock, without its holidays."""

import datetime as dt
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from composer.models import Edition, Publication

WEEK = dt.timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class Cadence:
    """A weekday (0 = Monday) and a time on the clocks of a zone."""

    weekday: int
    time: dt.time
    zone: ZoneInfo
    #: Days whose slot is left out.
    holidays: Collection[dt.date] = frozenset()


def upcoming(cadence: Cadence, after: dt.datetime) -> Iterator[dt.datetime]:
    """The slots later than `after` (aware), in UTC, without end.

    A time that the clocks skip is moved forward by the gap; of a time that comes twice the first counts (PEP 495).
    """
    # A slot that was moved forward may belong to the day before.
    day = after.astimezone(cadence.zone).date() - dt.timedelta(days=1)
    day += dt.timedelta(days=(cadence.weekday - day.weekday()) % 7)
    while True:
        if day not in cadence.holidays:
            at = dt.datetime.combine(day, cadence.time, tzinfo=cadence.zone).astimezone(dt.UTC)
            if at > after:
                yield at
        day += WEEK


def cadence_of(publication: Publication) -> Cadence | None:
    """None where the publication has no weekly slot, or nobody knows when it is: its timezone is unknown here."""
    if publication.cadence_weekday is None or publication.cadence_time is None or not publication.has_known_zone:
        return None
    return Cadence(
        weekday=publication.cadence_weekday,
        time=publication.cadence_time,
        zone=publication.zone,
        holidays=frozenset(publication.holidays.values_list("day", flat=True)),
    )


def next_slot(publication: Publication, after: dt.datetime) -> dt.datetime | None:
    """The first slot later than `after`; None where there is no weekly slot."""
    cadence = cadence_of(publication)
    return next(upcoming(cadence, after)) if cadence else None


def next_free_slot(publication: Publication, after: dt.datetime) -> dt.datetime | None:
    """The first slot later than `after` that no edition has; None where there is no weekly slot."""
    cadence = cadence_of(publication)
    if cadence is None:
        return None
    taken = set(Edition.objects.filter(publication=publication, slot__gt=after).values_list("slot", flat=True))
    return next(at for at in upcoming(cadence, after) if at not in taken)
