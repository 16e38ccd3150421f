"""`newsdesk add-source URL --publication P`: a feed, a mailbox or a mail address whose stories come into the inbox by themselves."""

from typing import Any

from django.core.management.base import CommandParser

from newsdesk.core.errors import InputError
from newsdesk.management import editorial
from newsdesk.management.base import NewsdeskCommand


class Command(NewsdeskCommand):
    help = "Add a feed or mailbox to a publication: it is read now, and polled from then on. Or an address for mails."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("url", metavar="URL", help="a feed, imaps://user@host/FOLDER or mailto:ADDRESS")
        parser.add_argument("--publication", required=True, metavar="P", help="the publication's slug")
        parser.add_argument("--senders", metavar="WHO", default="", help="of mails: addresses or domains, by commas")
        parser.add_argument("--topic", metavar="T", default="", help="given to each of its stories")
        parser.add_argument("--include", metavar="WORDS", default="", help="only entries with one of these, by commas")
        parser.add_argument("--exclude", metavar="WORDS", default="", help="no entry with one of these, by commas")

    def handle(self, *args: Any, **options: Any) -> None:
        from django.core.exceptions import ValidationError

        from composer.models import Source
        from tasks.http.guard import Guard
        from tasks.sources import polling

        source = Source(
            publication=editorial.publication_named(options["publication"]),
            url=options["url"].strip(),
            **{name: options[name] for name in ("senders", "topic", "include", "exclude")},
        )
        try:
            source.full_clean()
        except ValidationError as error:
            raise InputError(editorial.as_line(error, {"url": "URL", "senders": "--senders"})) from error
        source.save()
        if source.kind == "inbound":
            self.report(
                {"id": source.pk, "title": source.title, "url": source.url, "webhook_url": source.webhook_url},
                f"source {source.pk}: {source}; let SendGrid's Inbound Parse post to {source.webhook_url}",
            )
            return
        polled = polling.poll([source], Guard())
        source.refresh_from_db()
        if polled.failed:
            source.delete()
            raise InputError(f"{options['url']}: {source.error}")
        self.report(
            {"id": source.pk, "title": source.title, "url": source.url, "stories": polled.stories},
            f"source {source.pk}: {source}, {polled.stories} stories came in",
        )
