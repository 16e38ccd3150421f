"""A slot's time and a span of time as the alarms say them."""

from datetime import datetime, timedelta

from composer.models import Edition


def slot_time(edition: Edition, moment: datetime) -> str:
    """The moment by the publication's clock, with its time zone."""
    local = moment.astimezone(edition.publication.zone)
    return f"{local:%Y-%m-%d %H:%M} ({edition.publication.zone})"


def duration(span: timedelta) -> str:
    """In minutes below two hours, in hours below two days, else in days; cut, not rounded."""
    minutes = int(span.total_seconds() // 60)
    if minutes < 120:
        return f"{minutes} minutes"
    return f"{minutes // 60} hours" if minutes < 48 * 60 else f"{minutes // 1440} days"
