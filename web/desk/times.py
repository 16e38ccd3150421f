"""Times and spans as the desk says them: a time on a publication's clock, always with the clock's name."""

import datetime as dt
from zoneinfo import ZoneInfo

from django.utils.dateformat import format as date_format


def on_clock(moment: dt.datetime, zone: ZoneInfo) -> str:
    """The moment as clocks in the zone show it: “Friday 27 November 2026 08:00 Asia/Singapore”."""
    return f"{day_and_time(moment.astimezone(zone))} {zone}"


def day_and_time(time: dt.datetime) -> str:
    """As it stands, without a zone; the caller says whose clock it is."""
    return date_format(time, "l j F Y H:i")


def span(length: dt.timedelta) -> str:
    """In the two largest units that say something, cut: “1 day 21 h”, “3 h 5 min”, “less than a minute”."""
    minutes = int(length.total_seconds() // 60)
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [f"{days} day{'' if days == 1 else 's'}" if days else "", f"{hours} h" if hours else ""]
    if days < 1:
        parts.append(f"{minutes} min" if minutes else "")
    return " ".join(part for part in parts if part) or "less than a minute"


def countdown(moment: dt.datetime, now: dt.datetime) -> str:
    """“in 1 day 21 h”, or “2 h ago”."""
    return f"in {span(moment - now)}" if moment > now else f"{span(now - moment)} ago"
