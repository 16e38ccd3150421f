"""`newsdesk settle (BATCH | --send SEND) (--resend | --leave)`: a person's decision about batches nobody knows the end of."""

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
        parser.add_argument(
            "--send", metavar="SEND", type=int, help="all unknown batches of this send, instead of BATCH"
        )
        decision = parser.add_mutually_exclusive_group()
        decision.add_argument(
            "--resend", action="store_true", help="send it again: its readers may get it twice if it did go out"
        )
        decision.add_argument("--leave", action="store_true", help="leave it: its readers may not have it")
        parser.add_argument("--why", metavar="TEXT", default="", help="the reason, for the send's history")

    def handle(self, *args: Any, **options: Any) -> None:
        from tasks.reconciliation import decisions

        number, send = options["batch"], options["send"]
        if number is not None and send is not None:
            raise InputError("settle: name a batch, or --send SEND, not both")
        decided = "resend" if options["resend"] else "leave" if options["leave"] else ""
        if not decided and number is None:
            unknown = decisions.undecided(send)
            rows = [{"batch": batch.pk, "send": batch.send_id, "readers": batch.size} for batch in unknown]
            lines = [f"batch {row['batch']} of send {row['send']}: {row['readers']} readers" for row in rows]
            self.report({"unknown": rows}, "\n".join(lines) or "no batch is unknown")
            return
        if not decided:
            raise InputError("settle: say --resend or --leave")
        if number is None and send is None:
            raise InputError("settle: say which: a batch's id, or --send SEND; newsdesk settle lists them")
        decide = decisions.resend if options["resend"] else decisions.leave
        who, why = sending.at_the_command_line(), options["why"].strip()
        if send is None:
            if not decide(number, who=who, why=why):
                raise InputError(f"BATCH: no unknown batch has the id {number}; newsdesk settle lists them")
            self.report({"batch": number, "decided": decided}, f"batch {number}: {decided}")
            return
        batches = [batch.pk for batch in decisions.undecided(send) if decide(batch.pk, who=who, why=why)]
        if not batches:
            raise InputError(f"--send: send {send} has no unknown batch; newsdesk settle lists them")
        self.report(
            {"send": send, "batches": batches, "decided": decided}, f"{len(batches)} batches of send {send}: {decided}"
        )
