"""Dates as services write them. Without a zone they are taken for UTC, and may be as much earlier as clocks are apart."""

import functools
import re
from datetime import UTC, datetime, timedelta

#: What stands for no date at all.
_NONE = {"", "null", "none", "nil", "n/a", "na", "-", "--", "never", "\\n", "0", "false", "no", "nan", "nat"}
_WORDY = ("%b %d, %Y", "%B %d, %Y", "%d %b %Y", "%d %B %Y", "%b %d, %Y %I:%M %p", "%d %b %Y %H:%M", "%b %d %Y", "%d.%m.%Y",
          "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S", "%Y/%m/%d", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%a, %d %b %Y %H:%M:%S %z",
          "%Y-%m-%d %H:%M:%S %z", "%Y-%m-%d %I:%M %p", "%B %d, %Y %I:%M %p", "%d-%b-%Y")  # fmt: skip
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?:,? (\d{1,2}):(\d\d)(?::(\d\d))?)?")
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
#: The zone furthest ahead: what its clocks show, UTC's show so much later.
_FURTHEST_AHEAD = timedelta(hours=14)


def is_blank(cell: str) -> bool:
    return cell.strip().lower() in _NONE or cell.startswith("0000-00-00")


def moment(cell: str) -> datetime | None:
    """None where it is no date, or one that could be read in two ways."""
    found, _ = _read(cell)
    return found


def iso_date(cell: str) -> str | None:
    """As the database reads it."""
    found = moment(cell)
    return found.isoformat() if found else None


def earliest_iso_date(cell: str) -> str | None:
    """The same of the earliest moment that it can mean: whoever wrote no zone may live in any."""
    found, has_zone = _read(cell)
    if found is None:
        return None
    return (found if has_zone else found - _FURTHEST_AHEAD).isoformat()


@functools.lru_cache(maxsize=10_000)
def _read(cell: str) -> tuple[datetime | None, bool]:
    """The moment, and whether a zone stands there."""
    stripped = cell.strip()
    text = stripped.removesuffix(" UTC").removesuffix(" GMT")
    found = _epoch(text) or _iso(text) or _slashed(text) or _wordy(text)
    if found is None:
        return None, False
    has_zone = found.tzinfo is not None or text != stripped
    aware = found if found.tzinfo else found.replace(tzinfo=UTC)
    try:
        return (aware.astimezone(UTC) if aware >= _EARLIEST else None), has_zone
    except OverflowError:
        return None, False


def _epoch(text: str) -> datetime | None:
    if not (text.isascii() and text.isdecimal() and len(text) in {9, 10, 13}):
        return None
    return datetime.fromtimestamp(int(text) / (1000 if len(text) == 13 else 1), tz=UTC)


def _iso(text: str) -> datetime | None:
    # "20210203" is more often a number than a date.
    if "-" not in text:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _slashed(text: str) -> datetime | None:
    """Month and day, or day and month: only where one of them can be no month, or both are the same."""
    match = _SLASHED.fullmatch(text)
    if not match:
        return None
    first, second, year, hour, minute, seconds = (int(part or 0) for part in match.groups())
    if first <= 12 and second <= 12 and first != second:
        return None
    month, day = (second, first) if first > 12 else (first, second)
    try:
        return datetime(year, month, day, hour, minute, seconds)  # noqa: DTZ001 - the caller adds the zone
    except ValueError:
        return None


def _wordy(text: str) -> datetime | None:
    for form in _WORDY:
        try:
            found = datetime.strptime(text, form)  # noqa: DTZ007 - the caller adds the zone
        except ValueError:
            continue
        return found
    return None
