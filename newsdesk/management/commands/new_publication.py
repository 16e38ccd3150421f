"""`newsdesk new-publication SLUG --title T --from "Name <address>" --address "postal address"`."""

import datetime as dt
import re
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandParser

from newsdesk.core.errors import InputError
from newsdesk.management import editorial
from newsdesk.management.base import NewsdeskCommand

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SENDER = re.compile(r'(?P<quote>"?)(?P<name>[^<>"]*[^<>"\s])(?P=quote)\s*<(?P<email>[^<>\s]+)>')
#: Model field → the option that sets it, where the names differ.
OPTIONS = {
    "slug": "SLUG",
    "from_name": "--from",
    "from_email": "--from",
    "postal_address": "--address",
    "cadence_weekday": "--weekday",
    "cadence_time": "--time",
}
TAKEN = (
    "slug",
    "title",
    "postal_address",
    "language",
    "direction",
    "timezone",
    "reply_to",
    "website",
    "tagline",
    "theme",
    "minimum_stories",
    "tracking",
    "track_unknown",
    "second_approver",
)


class Command(NewsdeskCommand):
    help = "Make a publication: a newsletter with its sender, its postal address and its language."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("slug", metavar="SLUG", help="short name, the first part of its archive's address")
        parser.add_argument("--title", required=True)
        parser.add_argument("--from", dest="sender", required=True, metavar='"Name <address>"', help="who it is from")
        parser.add_argument(
            "--address", dest="postal_address", required=True, help="the postal address in every footer"
        )
        parser.add_argument("--language", default="en", help="BCP 47, for example en or zh-Hans (default: en)")
        parser.add_argument("--direction", choices=("ltr", "rtl"), default="ltr")
        parser.add_argument("--timezone", default="UTC", help="IANA, for example Asia/Singapore (default: UTC)")
        parser.add_argument("--reply-to", default="", metavar="ADDRESS")
        parser.add_argument("--website", default="", metavar="URL")
        parser.add_argument("--tagline", default="")
        parser.add_argument("--theme", default="digest")
        parser.add_argument("--weekday", choices=WEEKDAYS, help="the day of the weekly slot")
        parser.add_argument(
            "--time", metavar="HH:MM", help="the time of the weekly slot, in the publication's timezone"
        )
        parser.add_argument("--minimum-stories", type=int, default=1, metavar="N")
        parser.add_argument(
            "--tracking", action="store_true", help="ask the provider to report opens and clicks of readers who agreed"
        )
        parser.add_argument("--track-unknown", action="store_true", help="with --tracking: also of who was never asked")
        parser.add_argument("--second-approver", action="store_true", help="whoever edited last cannot approve")

    def handle(self, *args: Any, **options: Any) -> None:
        from django.db import IntegrityError

        from composer.models import Publication
        from composer.rendering import theme_names

        if options["theme"] not in theme_names():
            raise InputError(f"--theme: {options['theme']!r} is not one of {', '.join(theme_names())}")
        publication = Publication(**_fields(options))
        try:
            publication.full_clean()
            publication.save()
        except ValidationError as error:
            raise InputError(editorial.as_line(error, OPTIONS)) from error
        except IntegrityError as error:  # another process made it a moment ago
            raise InputError(f"SLUG: the publication {publication.slug!r} exists already") from error
        self.report({"publication": publication.slug}, f"made {publication.title} ({publication.slug})")


def _fields(options: dict[str, Any]) -> dict[str, Any]:
    name, email = _sender(options["sender"])
    return {
        **{field: options[field] for field in TAKEN},
        "from_name": name,
        "from_email": email,
        "cadence_weekday": WEEKDAYS.index(options["weekday"]) if options["weekday"] else None,
        "cadence_time": _time(options["time"]),
    }


def _sender(written: str) -> tuple[str, str]:
    match = _SENDER.fullmatch(written.strip())
    if not match:
        raise InputError(f'--from: {written!r} is not a sender; write it as "Name <address@example.com>"')
    return match["name"], match["email"]


def _time(written: str | None) -> dt.time | None:
    if not written:
        return None
    try:
        return dt.time.fromisoformat(written)
    except ValueError as error:
        raise InputError(f"--time: {written!r} is not a time such as 08:30") from error
