"""`newsdesk settle BATCH (--resend | --leave)`: a person's decision about a batch nobody knows the end of."""

from typing import Any

from django.core.management.base import CommandParser

from newsdesk.core.errors import InputError
from newsdesk.management import sending
from newsdesk.management.base import NewsdeskCommand


class Command(NewsdeskCommand):
    help = "Decide about an unknown batch where neither events nor silence could; lists them when none is named."
    needs_broker = True

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("batch", metavar="BATCH", type=int, nargs="?", help="a batch's id; default: list them")
        decision = parser.add_mutually_exclusive_group()
        decision.add_argument(
            "--resend", action="store_true", help="send it again: its readers may get it twice if it did go out"
        )
        decision.add_argument("--leave", action="store_true", help="leave it: its readers may not have it")
        parser.add_argument("--why", metavar="TEXT", default="", help="the reason, for the send's history")

    def handle(self, *args: Any, **options: Any) -> None:
        from tasks.models import Attempt, Batch
        from tasks.reconciliation import decisions

        number = options["batch"]
        if number is None:
            left = Attempt.objects.filter(evidence__contains=[{"decided": "leave"}]).values("pk")
            unknown = list(Batch.objects.filter(status=Batch.Status.UNKNOWN).exclude(attempt__in=left).order_by("pk"))
            rows = [{"batch": batch.pk, "send": batch.send_id, "readers": batch.size} for batch in unknown]
            lines = [f"batch {row['batch']} of send {row['send']}: {row['readers']} readers" for row in rows]
            self.report({"unknown": rows}, "\n".join(lines) or "no batch is unknown")
            return
        if not (options["resend"] or options["leave"]):
            raise InputError("settle: say --resend or --leave")
        decide = decisions.resend if options["resend"] else decisions.leave
        if not decide(number, who=sending.at_the_command_line(), why=options["why"].strip()):
            raise InputError(f"BATCH: no unknown batch has the id {number}; newsdesk settle lists them")
        decided = "resend" if options["resend"] else "leave"
        self.report({"batch": number, "decided": decided}, f"batch {number}: {decided}")
