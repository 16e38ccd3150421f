"""`newsdesk sources`: feeds, mailboxes and mail addresses, when each was polled, and what failed."""

from typing import Any

from django.core.management.base import CommandParser

from newsdesk.management import editorial
from newsdesk.management.base import NewsdeskCommand


class Command(NewsdeskCommand):
    help = "List the sources: when each was polled last, how many stories came from it, and what failed."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--publication", metavar="P", default="", help="only those of this publication")
        parser.add_argument("--poll", action="store_true", help="poll those whose turn has come first")

    def handle(self, *args: Any, **options: Any) -> None:
        from django.db.models import Count

        from composer.models import Source
        from tasks.http.guard import Guard
        from tasks.sources import polling

        if options["poll"]:
            polling.poll_due(Guard())
        sources = Source.objects.select_related("publication").annotate(stories=Count("entries__story"))
        if options["publication"]:
            sources = sources.filter(publication=editorial.publication_named(options["publication"]))
        rows = [
            {
                "id": source.pk,
                "publication": source.publication.slug,
                "title": source.title,
                "url": source.url,
                "webhook_url": source.webhook_url,
                "is_active": source.is_active,
                "polled_at": source.polled_at.isoformat() if source.polled_at else None,
                "next_poll_at": source.next_poll_at.isoformat(),
                "stories": source.stories,
                "failures": source.failures,
                "error": source.error,
            }
            for source in sources
        ]
        self.report(
            {"sources": rows}, "\n".join(_line(row) for row in rows) or "There are no sources; add-source adds one."
        )


def _line(row: dict[str, Any]) -> str:
    word = "mail came" if row["webhook_url"] else "polled"
    when = f"{word} {row['polled_at'][:16].replace('T', ' ')} UTC" if row["polled_at"] else "not polled yet"
    state = f"failed {row['failures']} times: {row['error']}" if row["failures"] else f"{row['stories']} stories"
    if row["error"] and not row["failures"]:
        state += f"; {row['error']}"
    name = row["title"] or row["url"]
    return (
        f"{row['id']:>4}  {row['publication']}  {name}  {when}  {state}{'' if row['is_active'] else '  (not polled)'}"
    )
