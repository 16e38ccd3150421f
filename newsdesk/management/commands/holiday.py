"""`newsdesk holiday PUBLICATION DATE`: a day whose slot is left out."""

import datetime as dt
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandParser

from newsdesk.core.errors import InputError
from newsdesk.management import editorial
from newsdesk.management.base import NewsdeskCommand


class Command(NewsdeskCommand):
    help = "Leave out a publication's weekly slot on a day; without DATE: list its holidays."
    needs_broker = True

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("publication", metavar="PUBLICATION", help="the publication's slug")
        parser.add_argument("date", metavar="DATE", nargs="?", help="for example 2026-12-25")
        parser.add_argument("--name", metavar="N", help="what editors see")
        parser.add_argument("--remove", action="store_true", help="come out on this day after all")

    def handle(self, *args: Any, **options: Any) -> None:
        from composer.models import Holiday
        from tasks.slots import recurrence

        publication = editorial.publication_named(options["publication"])
        if options["date"] is None and (options["remove"] or options["name"]):
            raise InputError("DATE: say which day")
        if options["date"] is not None:
            day = _day(options["date"])
            if options["remove"]:
                if not recurrence.remove_holiday(publication, day):
                    raise InputError(f"DATE: {day} is no holiday of {publication.slug}")
            else:
                name = options["name"] or ""
                try:
                    Holiday(publication=publication, day=day, name=name).full_clean(validate_constraints=False)
                    recurrence.add_holiday(publication, day, name)
                except ValidationError as error:
                    raise InputError(editorial.as_line(error, {})) from error
        days = list(publication.holidays.all())
        self.report(
            {
                "publication": publication.slug,
                "holidays": [{"day": holiday.day.isoformat(), "name": holiday.name} for holiday in days],
            },
            "\n".join(map(str, days)) or f"{publication.slug} has no holidays",
        )


def _day(text: str) -> dt.date:
    try:
        day = dt.date.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"DATE: {text!r} is not a date such as 2026-12-25") from error
    if not 2000 <= day.year < 9000:
        raise InputError(f"DATE: the year {day.year} is not one in which anything is sent")
    return day
