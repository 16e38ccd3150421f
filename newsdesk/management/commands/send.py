"""`newsdesk send EDITION --list L… [--segment S] [--at WHEN [--local-time]]`: schedule a send."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandParser

from newsdesk.core.errors import InputError
from newsdesk.management import editorial, sending
from newsdesk.management.base import NewsdeskCommand

if TYPE_CHECKING:
    from composer.models import Edition, Publication
    from tasks.models import Send


class Command(NewsdeskCommand):
    help = "Schedule an approved edition to the readers of one or more lists, now or at a time."
    needs_broker = True

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "edition", metavar="EDITION", help="its id, as compose printed it, or publication and number: weekly/3"
        )
        parser.add_argument("--list", dest="lists", metavar="L", action="extend", nargs="+", required=True)
        parser.add_argument("--segment", metavar="S", help="only those of the lists whom this segment holds")
        parser.add_argument(
            "--at", metavar="WHEN", help="ISO 8601; without an offset in the publication's timezone; default: now"
        )
        parser.add_argument(
            "--local-time", action="store_true", help="WHEN, without an offset, is the time where each reader is"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        from tasks.sends.scheduling import schedule

        edition = editorial.edition_named(options["edition"])
        publication = edition.publication
        lists = [editorial.list_named(publication, slug) for slug in dict.fromkeys(options["lists"])]
        segment = editorial.segment_named(publication, options["segment"]) if options["segment"] else None
        when: dict[str, Any] = {}
        if options["local_time"]:
            when = {"local_at": _local(options["at"])}
        elif options["at"]:
            when = {"at": _moment(options["at"], publication)}
        send = schedule(edition, lists=lists, segment=segment, who=sending.at_the_command_line(), **when)
        self.report(
            {"send": send.pk},
            f"send {send.pk}: {_name(edition)} goes out {_words(send, publication, bool(when))};"
            f" newsdesk status {send.pk}",
        )


def _words(send: "Send", publication: "Publication", timed: bool) -> str:
    at = f"{send.scheduled_at.astimezone(publication.zone):%Y-%m-%d %H:%M %Z}"
    if send.local_at:
        return f"when it is {send.local_at[:16].replace('T', ' ')} where each reader is, from {at} on"
    return f"at {at}" if timed else "now"


def _name(edition: "Edition") -> str:
    return f"{edition.publication.slug} No. {edition.number}"


def _local(text: str | None) -> datetime:
    if not text:
        raise InputError("--local-time: say --at as well, for example --at 2026-12-04T08:00")
    moment = _parsed(text)
    if moment.tzinfo is not None:
        raise InputError(f"--at: with --local-time it has no offset, and {text!r} has one: leave it out")
    return moment


def _moment(text: str, publication: "Publication") -> datetime:
    moment = _parsed(text)
    if moment.tzinfo is not None:
        return moment
    # Only now: it comes with Django's models.
    from tasks.audience import local_time

    if local_time.is_skipped(moment, publication.zone):
        raise InputError(f"--at: {text} does not exist in {publication.timezone}: the clocks are put forward then")
    return moment.replace(tzinfo=publication.zone)


def _parsed(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"--at: {text!r} is not ISO 8601, for example 2026-12-04T08:00") from error
