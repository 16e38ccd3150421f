"""`newsdesk send-test EDITION ADDRESS…`: an edition as it stands, to a few addresses."""

from typing import Any

from django.core.management.base import CommandParser

from newsdesk.core.errors import InputError
from newsdesk.management import editorial, sending
from newsdesk.management.base import NewsdeskCommand


class Command(NewsdeskCommand):
    help = "Send an edition, approved or not, as a test to a few addresses."
    needs_broker = True

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("edition", metavar="EDITION", help="its id, or publication and number: weekly/3")
        parser.add_argument("addresses", metavar="ADDRESS", nargs="+", help="whom to send it to; up to 20")
        parser.add_argument(
            "--variant",
            metavar="SEGMENT[,SEGMENT…]",
            help='what readers in exactly these segments see; "" for readers in none',
        )
        parser.add_argument(
            "--as",
            dest="seen_by",
            metavar="SUBSCRIBER_EMAIL",
            default="",
            help="what this subscriber would see, with their name",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        from tasks.transactional.test_limits import CannotTestError
        from tasks.transactional.test_sends import send_test

        edition = editorial.edition_named(options["edition"])
        variant = options["variant"]
        try:
            written = send_test(
                edition,
                options["addresses"],
                segments=None if variant is None else variant.split(","),
                seen_by=options["seen_by"],
                who=sending.at_the_command_line(),
            )
        except CannotTestError as refused:
            raise InputError(f"send-test: {refused}") from refused
        subject = written[0].subject
        self.report(
            {
                "edition": edition.pk,
                "subject": subject,
                "letters": [{"id": mail.pk, "to": mail.to_email} for mail in written],
            },
            f"“{subject}” is on its way to {', '.join(mail.to_email for mail in written)}",
        )
