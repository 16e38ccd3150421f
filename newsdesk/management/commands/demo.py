"""`newsdesk demo [--subscribers N]`: the main job from zero, on this machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandParser

from newsdesk.core.errors import InputError, OperationFailedError
from newsdesk.management.base import NewsdeskCommand

if TYPE_CHECKING:
    from newsdesk.demo import Demo

SUBSCRIBERS = 5000


class Command(NewsdeskCommand):
    help = "Compose an edition of sample stories and send it to made-up readers; nothing leaves this machine."
    # The group runs the engines itself.
    needs_database = False

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--subscribers", metavar="N", type=int, default=SUBSCRIBERS, help="default: %(default)s")

    def handle(self, *args: Any, **options: Any) -> None:
        from django.conf import settings

        from newsdesk.demo import run

        if options["subscribers"] < 1:
            raise InputError("--subscribers: at least 1")
        if not settings.ENVIRONMENT.uses_sandbox:
            raise InputError(
                "demo sends to made-up addresses at the local SendGrid only: unset SENDGRID_API_KEY and NEWSDESK_TRANSPORT"
            )
        with _newsdesk_running() as (sandbox_url, lines), _progress() as progress:
            demo = run(subscribers=options["subscribers"], sandbox_url=sandbox_url, progress=progress)
        self.report(demo.as_json(), as_text(demo))
        self.stderr.write("\n".join(lines))
        if not demo.ok:
            raise OperationFailedError(f"{demo.duplicates} readers were mailed twice and {demo.missing} were missed")


@contextmanager
def _newsdesk_running() -> Iterator[tuple[str, list[str]]]:
    """A Newsdesk of this home: the one that runs already, or one for as long as the demo takes."""
    from django.conf import settings

    from newsdesk.core.file_locks import is_held
    from newsdesk.local_stack.stack import LocalStack

    home = settings.HOME
    if is_held(home.up_lock):
        state = home.run_state()
        yield (
            state["sandbox_url"],
            [f"Look around: the desk {state['base_url']}/desk/ · sent mail {state['sandbox_url']}/"],
        )
        return
    with LocalStack(home, quiet=True, sandbox_options=("--open-rate", "0.35", "--click-rate", "0.1")) as group:
        group.wait_until_healthy()
        login = group.login
        how = f"login {login.username} with the password {login.password}" if login and login.password else "log in"
        look = f"run `make up` to look: the desk {group.base_url}/desk/ · sent mail {group.sandbox_url}/ · {how}"
        yield group.sandbox_url, [look]


@contextmanager
def _progress() -> Iterator[Any]:
    """One bar on stderr, a step after the other."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description:<26}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bars:
        steps: dict[str, Any] = {}

        def tell(step: str, done: int, whole: int) -> None:
            if step not in steps:
                for earlier in steps.values():
                    bars.update(earlier, completed=bars.tasks[earlier].total)
                steps[step] = bars.add_task(step, total=whole)
            bars.update(steps[step], completed=done, total=whole)

        yield tell
        for task in steps.values():
            bars.update(task, completed=bars.tasks[task].total)


def as_text(demo: "Demo") -> str:
    """The table at the end."""
    from rich.console import Console
    from rich.table import Table

    counts = demo.send
    table = Table(title=f"{demo.publication}: {demo.stories} stories in {demo.variants} variants", title_justify="left")
    table.add_column("readers")
    table.add_column("", justify="right")
    table.add_row("candidates", f"{counts['candidates']:,}")
    for reason, number in sorted(counts["excluded"].items()):
        table.add_row(f"excluded: {reason}", f"{number:,}")
    for name in ("pending", "submitting", "submitted", "unknown", "failed"):
        table.add_row(name, f"{counts[name]:,}", end_section=name == "failed")
    for name in ("delivered", "bounced", "complained", "unsubscribed", "opened", "clicked"):
        table.add_row(name, f"{counts[name]:,}", end_section=name == "clicked")
    table.add_row("mailed twice", f"{demo.duplicates:,}")
    table.add_row("missed", f"{demo.missing:,}")
    table.add_row("seconds", f"{demo.seconds:.1f}")
    console = Console(width=60)
    with console.capture() as captured:
        console.print(table)
    return captured.get().rstrip()
