"""`newsdesk recur PUBLICATION [--list L…]`: whom the weekly slot goes to."""

from itertools import islice
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandParser

from newsdesk.core.errors import InputError
from newsdesk.management import editorial
from newsdesk.management.base import NewsdeskCommand

if TYPE_CHECKING:
    from composer.models import Publication

SHOWN = 4


class Command(NewsdeskCommand):
    help = "Send a publication's weekly slot by itself to the readers of one or more lists; alone: show the next slots."
    needs_broker = True

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("publication", metavar="PUBLICATION", help="the publication's slug")
        parser.add_argument(
            "--list", dest="lists", metavar="L", action="extend", nargs="+", help="lists of the publication"
        )
        parser.add_argument("--segment", metavar="S", help="only those of the lists whom this segment holds")
        parser.add_argument(
            "--local-time", action="store_true", help="the slot's time is the time where each reader is"
        )
        parser.add_argument(
            "--late",
            metavar="MINUTES",
            type=int,
            help="a slot missed by no more than this is sent late, 0: never (default: 720)",
        )
        parser.add_argument("--off", action="store_true", help="schedule no slot any more; scheduled sends stay")

    def handle(self, *args: Any, **options: Any) -> None:
        from tasks.slots import recurrence

        publication = editorial.publication_named(options["publication"])
        has_options = options["segment"] or options["local_time"] or options["late"] is not None
        if options["off"]:
            if options["lists"] or has_options:
                raise InputError("--off: it goes with no other option")
            recurrence.stop_recurring(publication)
        elif options["lists"]:
            self._recur(publication, options)
        elif has_options:
            raise InputError("--list: name at least one list")
        report = _report(publication)
        self.report(report, _text(report, publication))

    def _recur(self, publication: "Publication", options: dict[str, Any]) -> None:
        from tasks.slots import recurrence

        late = 720 if options["late"] is None else options["late"]
        if not 0 <= late <= 7 * 24 * 60:
            raise InputError("--late: a number of minutes from 0 to 10080, which is a week")
        recurrence.recur(
            publication,
            lists=[editorial.list_named(publication, slug) for slug in dict.fromkeys(options["lists"])],
            segment=editorial.segment_named(publication, options["segment"]) if options["segment"] else None,
            local_time=options["local_time"],
            late_minutes=late,
        )


def _report(publication: "Publication") -> dict[str, Any]:
    from composer.slots import cadence_of, upcoming
    from tasks.database import clock
    from tasks.models import Recurrence

    recurrence: Recurrence | None = Recurrence.objects.filter(publication=publication).first()
    cadence = cadence_of(publication)
    slots = islice(upcoming(cadence, clock.now()), SHOWN) if cadence else ()
    editions = {edition.slot: edition for edition in publication.editions.exclude(slot=None)}
    return {
        "publication": publication.slug,
        "active": bool(recurrence and recurrence.active),
        "lists": sorted(recurrence.lists.values_list("slug", flat=True)) if recurrence else [],
        "segment": recurrence.segment.slug if recurrence and recurrence.segment else None,
        "local_time": bool(recurrence and recurrence.local_time),
        "late_minutes": recurrence.late_minutes if recurrence else None,
        "slots": [
            {
                "at": at.astimezone(publication.zone).isoformat(),
                "edition": editions[at].pk if at in editions else None,
                "approved": at in editions and editions[at].approval is not None,
            }
            for at in slots
        ],
    }


def _text(report: dict[str, Any], publication: "Publication") -> str:
    if report["active"]:
        whom = ", ".join(report["lists"]) + (f", segment {report['segment']}" if report["segment"] else "")
        clock = "where each reader is" if report["local_time"] else publication.zone.key
        lines = [f"{publication.slug}: every slot goes to {whom}, on the clock of {clock}; late by up to"]
        lines[0] += f" {report['late_minutes']} minutes"
    else:
        lines = [f"{publication.slug}: nothing is sent by itself"]
    for slot in report["slots"]:
        state = "approved" if slot["approved"] else "not approved yet"
        lines.append(
            f"  {slot['at'][:16].replace('T', ' ')}  "
            + (f"edition {slot['edition']}, {state}" if slot["edition"] else "no edition yet")
        )
    if not report["slots"]:
        lines.append("  it has no weekly slot")
    return "\n".join(lines)
