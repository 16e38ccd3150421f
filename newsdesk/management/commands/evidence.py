"""`newsdesk evidence SEND`: what settled each request, and what is not settled."""

from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandParser

from newsdesk.core.errors import InputError
from newsdesk.management import sending
from newsdesk.management.base import NewsdeskCommand

if TYPE_CHECKING:
    from tasks.reconciliation.attempt_history import History
    from tasks.reconciliation.explanations import Condition


class Command(NewsdeskCommand):
    help = "Tell what settled the requests of a send that were ever in doubt, and what the others wait for."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("send", metavar="SEND", type=int, help="a send's id")
        parser.add_argument("--batch", metavar="ID", type=int, help="only this batch")
        parser.add_argument("--all", action="store_true", help="also requests that were simply accepted, or are open")

    def handle(self, *args: Any, **options: Any) -> None:
        from tasks.reconciliation import attempt_history

        send, batch = sending.send_numbered(options["send"]), options["batch"]
        if batch is not None and not send.batches.filter(pk=batch).exists():
            raise InputError(f"--batch: send {send.pk} has no batch {batch}")
        histories = attempt_history.histories(send.pk, batch_id=batch, everything=options["all"])
        unposted = attempt_history.never_posted(send.pk, batch_id=batch)
        data = {"send": send.pk, "attempts": [each.as_json() for each in histories], "without_attempt": unposted}
        lines = [line for each in histories for line in _lines(each)]
        lines += [f"batch {number}: unknown without a request: the database moved under it" for number in unposted]
        self.report(data, "\n".join(lines) or f"send {send.pk}: no request was ever in doubt")


def _lines(attempt: "History") -> list[str]:
    row = attempt.attempt
    answer = [f"HTTP {row.http_status}" if row.http_status else "", row.provider_id and f"message id {row.provider_id}"]
    ended = f"ended {row.finished_at:%H:%M:%S}" if row.finished_at else "without an end"
    about = ", ".join(filter(None, [row.outcome or "open", *answer, f"{row.size:,} readers"]))
    lines = [
        f"batch {row.batch_id}, attempt {row.number} ({row.pk}): {about}",
        f"  begun {row.fenced_at:%Y-%m-%d %H:%M:%S}, {ended} UTC",
    ]
    lines += [f"  {at}  {text}" for at, text in attempt.facts]
    if attempt.never_believed:
        lines.append(f"  its silence is not believed: {attempt.never_believed}")
    elif attempt.conditions:
        lines.append("  its silence is believed once all of these hold:")
        lines += _ticked(attempt.conditions)
    if attempt.feed:
        lines.append(f"  the provider's activity feed: {attempt.feed}")
    if attempt.sooner:
        lines.append("  with its word silence is believed sooner, once these hold instead of the grace above:")
        lines += _ticked(attempt.sooner)
    return lines


def _ticked(conditions: "list[Condition]") -> list[str]:
    return [f"    [{'x' if condition.is_met else ' '}] {condition.text}" for condition in conditions]
