"""`newsdesk growth --publication P`: how its lists grew, day by day."""

from typing import Any

from django.core.management.base import CommandParser

from newsdesk.core.errors import InputError
from newsdesk.management import editorial
from newsdesk.management.base import NewsdeskCommand

_MOST_DAYS = 3650
_COLUMNS = ("active", "pending", "unsubscribed", "gained", "lost")


class Command(NewsdeskCommand):
    help = "Show how a publication's lists grew: their readers at the end of each day (UTC), and who came and left."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--publication", required=True, metavar="P", help="the publication's slug")
        parser.add_argument("--days", type=int, default=30, metavar="N", help="default: the last %(default)s")

    def handle(self, *args: Any, **options: Any) -> None:
        from subscribers.growth import last_days

        publication = editorial.publication_named(options["publication"])
        if not 1 <= options["days"] <= _MOST_DAYS:
            raise InputError(f"--days: give a number from 1 to {_MOST_DAYS}")
        found = last_days(options["days"]).filter(list__publication=publication)
        rows = [
            {"day": row["day"].isoformat(), "list": row["list__slug"], **{name: row[name] for name in _COLUMNS}}
            for row in found.values("day", "list__slug", *_COLUMNS)
        ]
        self.report({"publication": publication.slug, "days": rows}, _as_text(rows))


def _as_text(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return "nothing is stored yet; each day is, once it is over (midnight UTC), while beat runs"
    width = max(len("list"), *(len(row["list"]) for row in rows))
    heading = f"{'day (UTC)':10}  {'list':{width}}" + "".join(f"  {name:>12}" for name in _COLUMNS)
    return "\n".join(
        [
            heading,
            *(
                f"{row['day']:10}  {row['list']:{width}}" + "".join(f"  {row[name]:12,}" for name in _COLUMNS)
                for row in rows
            ),
        ]
    )
