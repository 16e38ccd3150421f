"""`newsdesk compare-suppressions`: SendGrid's lists against ours, now."""

from typing import Any

from newsdesk.core.errors import OperationFailedError
from newsdesk.management.base import NewsdeskCommand


class Command(NewsdeskCommand):
    help = "Compare SendGrid's lists of bounces, complaints, invalid addresses and unsubscribes with ours, and add what we lack."

    def handle(self, *args: Any, **options: Any) -> None:
        from tasks.providers.registry import get_transport
        from tasks.providers.sendgrid.transport import SendGridTransport
        from tasks.suppression_sync import syncing

        transport = get_transport()
        if not isinstance(transport, SendGridTransport):
            raise OperationFailedError(f"mail goes out by {transport.name}: there is no list to compare with")
        done = syncing.sync(transport)
        if done is None:
            raise OperationFailedError("another comparison is running; its result is in the table tasks_comparison")
        told = syncing.summary(done)
        if done.error:
            raise OperationFailedError(f"broken off, and goes on next night: {done.error}")
        lines = [f"comparison {done.pk} with {done.transport}"]
        lines += [
            f"  {found['theirs']:>9,}  {name.replace('_', ' ')}: {found['known']:,} known, {found['added']:,} added, "
            f"{found['freed']:,} set free here"
            for name, found in told["lists"].items()
        ]
        self.report(told, "\n".join(lines))
