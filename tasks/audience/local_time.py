"""One time on many clocks: at which moment it is that time for a reader. Pure.

The rules: a reader without a timezone, or with one nobody knows, lives in the publication's. A time that the clocks skip is
moved forward by the gap; of a time that comes twice the first counts (both are PEP 495 with fold = 0).
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

#: Years outside cannot be shown on every clock.
YEARS = range(1970, 9000)


def moment(local: datetime, zone: ZoneInfo) -> datetime:
    """When it is `local` (naive) in the zone, in UTC."""
    return local.replace(tzinfo=zone, fold=0).astimezone(UTC)


def is_skipped(local: datetime, zone: ZoneInfo) -> bool:
    """Whether the zone's clocks never show `local` (naive), because they are put forward over it."""
    return moment(local, zone).astimezone(zone).replace(tzinfo=None) != local


def zone_of(timezone: str, *, usual: ZoneInfo) -> ZoneInfo:
    """The reader's zone; the usual one where theirs is empty or unknown."""
    return ZoneInfo(timezone) if timezone in _known() else usual


def moments(local: datetime, timezones: Iterable[str], *, usual: ZoneInfo) -> dict[str, datetime]:
    """For each timezone as readers have it, known or not, when it is `local` there."""
    return {timezone: moment(local, zone_of(timezone, usual=usual)) for timezone in timezones}


def first_moment(local: datetime, timezones: Iterable[str], *, usual: ZoneInfo) -> datetime:
    """When it is `local` for the first of them; without any, in the usual zone."""
    return min(moments(local, timezones, usual=usual).values(), default=moment(local, usual))


def stored(local: datetime) -> str:
    """As `Send.local_at` stores it, to the second."""
    return local.replace(microsecond=0).isoformat()


@lru_cache(maxsize=1)
def _known() -> frozenset[str]:
    return frozenset(available_timezones())
