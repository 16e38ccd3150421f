"""`newsdesk compare-suppressions`: the provider's lists against ours, now."""

from typing import Any

from newsdesk.core.errors import OperationFailedError
from newsdesk.management.base import NewsdeskCommand


class Command(NewsdeskCommand):
    help = "Compare the provider's lists of bounces, complaints, invalid addresses and unsubscribes with ours, and add what we lack."

    def handle(self, *args: Any, **options: Any) -> None:
        from tasks.providers.registry import get_transport
        from tasks.suppression_sync.summary import summary
        from tasks.suppression_sync.syncing import suppression_lists_of, sync

        transport = get_transport()
        if suppression_lists_of(transport) is None:
            raise OperationFailedError(f"mail goes out by {transport.name}: there is no list to compare with")
        done = sync(transport)
        if done is None:
            raise OperationFailedError("another comparison is running; its result is in the table tasks_comparison")
        result = summary(done)
        if done.error:
            raise OperationFailedError(f"broken off, and goes on next night: {done.error}")
        lines = [f"comparison {done.pk} with {done.transport}"]
        lines += [
            f"  {numbers['theirs']:>9,}  {name.replace('_', ' ')}: {numbers['known']:,} known, {numbers['added']:,} added, "
            f"{numbers['freed']:,} set free here"
            for name, numbers in result["lists"].items()
        ]
        self.report(result, "\n".join(lines))
