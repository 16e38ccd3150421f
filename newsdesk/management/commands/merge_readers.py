"""`newsdesk merge-readers KEEP OTHER`: two records of one person become one."""

from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandParser

from newsdesk.management import reading, sending
from newsdesk.management.base import NewsdeskCommand

if TYPE_CHECKING:
    from tasks.privacy.merging import Merged


class Command(NewsdeskCommand):
    help = "Make one reader of two records of one person: lists, consents and history of OTHER become KEEP's, and OTHER is gone."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("keep", metavar="KEEP", help="the address that is mailed from now on, in any case")
        parser.add_argument("other", metavar="OTHER", help="the address whose record is given to KEEP")
        parser.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        from tasks.privacy import merging

        keep, other = reading.reader_named(options["keep"]), reading.reader_named(options["other"])
        dry_run = options["dry_run"]
        done = merging.merge(keep, other, who=sending.at_the_command_line(), dry_run=dry_run)
        data = {"kept": keep.email, "merged": other.email, "dry_run": dry_run, **_as_data(done)}
        self.report(data, "\n".join(_as_lines(keep.email, other.email, done, dry_run=dry_run)))


def _as_data(done: "Merged") -> dict[str, Any]:
    profile = done.profile
    return {
        "subscriptions": [
            {"publication": row.publication, "list": row.list, "status": row.status, "was": row.was or None}
            for row in profile.subscriptions
        ],
        "consents": profile.consents,
        "tracking_answers": profile.tracking_answers,
        "tracking": profile.tracking,
        "taken": {"fields": profile.facts, "tags": profile.tags, "attributes": profile.attributes},
        "sends": {"moved": done.deliveries.moved, "left": done.deliveries.left},
        "events": done.deliveries.events,
        "suppressions_left": done.suppressions,
    }


def _as_lines(keep: str, other: str, done: "Merged", *, dry_run: bool) -> list[str]:
    profile, deliveries = done.profile, done.deliveries
    lines = [f"{other} would become {keep}; nothing is changed" if dry_run else f"{other} is {keep} now"]
    lines += [
        f"  on {row.publication}/{row.list}: {row.status}, {f'was {row.was}' if row.was else 'was not on it'}"
        for row in profile.subscriptions
    ]
    taken = {"fields": profile.facts, "tags": profile.tags, "attributes": profile.attributes}
    lines += [f"  {name} taken over: {', '.join(values)}" for name, values in taken.items() if values]
    lines.append(
        f"  {profile.consents} consents, {profile.tracking_answers} answers on tracking (now {profile.tracking}), "
        f"{deliveries.moved} sends and {deliveries.events} events taken over"
    )
    if deliveries.left:
        lines.append(f"  {deliveries.left} sends stay under the old record, since {keep} has the same ones")
    if done.suppressions:
        reasons = ", ".join(reason.replace("_", " ") for reason in done.suppressions)
        lines.append(f"  {other} stays suppressed: {reasons}")
    return lines
