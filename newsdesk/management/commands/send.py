"""`newsdesk send EDITION --list L… [--segment S] [--at WHEN]`: schedule a send."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandParser

from newsdesk.errors import InputError
from newsdesk.management import editorial, sending
from newsdesk.management.base import NewsdeskCommand

if TYPE_CHECKING:
    from composer.models import Edition, Publication
    from subscribers.models import List, Segment


class Command(NewsdeskCommand):
    help = "Schedule an approved edition to the readers of one or more lists, now or at a time."
    needs_broker = True

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("edition", metavar="EDITION", type=int, help="the edition's id, as compose printed it")
        parser.add_argument("--list", dest="lists", metavar="L", action="extend", nargs="+", required=True)
        parser.add_argument("--segment", metavar="S", help="only those of the lists whom this segment holds")
        parser.add_argument(
            "--at", metavar="WHEN", help="ISO 8601; without an offset in the publication's timezone; default: now"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        from tasks.scheduling import CannotSchedule, schedule

        edition = editorial.edition_numbered(options["edition"])
        publication = edition.publication
        lists = [_list_named(publication, slug) for slug in dict.fromkeys(options["lists"])]
        segment = _segment_named(publication, options["segment"]) if options["segment"] else None
        at = _moment(options["at"], publication) if options["at"] else None
        try:
            send = schedule(edition, lists=lists, segment=segment, at=at, who=sending.at_the_command_line())
        except CannotSchedule as refused:
            raise InputError(str(refused)) from refused
        when = f"at {send.scheduled_at.astimezone(publication.zone):%Y-%m-%d %H:%M %Z}" if at else "now"
        self.report({"send": send.pk}, f"send {send.pk}: {_name(edition)} goes out {when}; newsdesk status {send.pk}")


def _name(edition: "Edition") -> str:
    return f"{edition.publication.slug} No. {edition.number}"


def _list_named(publication: "Publication", slug: str) -> "List":
    found: List | None = publication.lists.filter(slug=slug).first()
    if found is None:
        known = ", ".join(publication.lists.values_list("slug", flat=True)) or "none; import-subscribers makes one"
        raise InputError(f"--list: {publication.slug} has no list {slug!r}; it has {known}")
    return found


def _segment_named(publication: "Publication", slug: str) -> "Segment":
    found: Segment | None = publication.segments.filter(slug=slug).first()
    if found is None:
        known = ", ".join(publication.segments.values_list("slug", flat=True)) or "none; new-segment makes one"
        raise InputError(f"--segment: {publication.slug} has no segment {slug!r}; it has {known}")
    return found


def _moment(text: str, publication: "Publication") -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"--at: {text!r} is not ISO 8601, for example 2026-12-04T08:00") from error
    if moment.tzinfo is not None:
        return moment
    local = moment.replace(tzinfo=publication.zone)
    if local.astimezone(UTC).astimezone(publication.zone).replace(tzinfo=None) != moment:
        raise InputError(f"--at: {text} does not exist in {publication.timezone}: the clocks are put forward then")
    return local
