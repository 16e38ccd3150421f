"""One mailbox provider that says "later" to its readers, and the speed of all others, in the same run.

    python benchmarks/slow_domain.py [--transport smtp|sendgrid] [--readers 20000] [--share 0.2] [--rounds 3]

Real Celery workers (prefork 2, four connections each) send an edition to the same readers three times over, by turns: without the
provider's readers, with them while it takes their mail, and with them while it puts them off. Every batch holds readers of both.

smtp: the sink stands for a relay that looks at the receiving server before it answers. It needs 5 ms for each mail it takes, so that
waiting counts and not this machine's processors, and half a second for a no. sendgrid: the sink takes every request after 300 ms, and
events have told before that the provider defers its mail.

The clock runs until the sink has taken the mail of the last reader elsewhere, from when it has taken a tenth of it: by then the
provider is known. The target is a ratio of 0.95 to their speed while it is well. Beside it are told the same from `resume` on, since
over SMTP the first readers are refused before anybody knows (the first batch is alone, so that everybody waits for its refusals), and
the ratio to their speed where the provider's readers are not on the list at all. To SendGrid that is lower by their share of it: requests cost,
not readers, and those that were cut for a thousand are not filled up.
"""

import argparse
import os
import platform
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.support import editions, homes, sink, smtp_sinks, workers

if TYPE_CHECKING:
    from newsdesk.core.home import Home

TARGET = 0.95
SLOW = "slow.example.net"
PATIENCE = 60.0
#: Of the readers elsewhere, who have theirs when the provider is known.
KNOWN = 0.1
#: Seconds that a no takes over SMTP, a mail, and a request to SendGrid.
NO, MAIL, REQUEST = 0.5, 0.005, 0.3
_IN_FLIGHT = b"SELECT count(*) FROM tasks_batch WHERE send_id = %s AND status IN ('building', 'submitting')"
_SUBMITTED = b"SELECT COALESCE(sum(size), 0) FROM tasks_batch WHERE send_id = %s AND status = 'submitted' AND mailbox_domain = ''"
KINDS = ("without its readers", "while it is well", "while it puts off")


class Times(NamedTuple):
    """Seconds until the last reader elsewhere has theirs: from the first on, and from when the provider was known."""

    whole: float
    known: float


class Way(Protocol):
    """Over which the mail goes, and how the provider fares with it."""

    def begin(self, *, puts_off: bool) -> None:
        """From now on it is well, or it is not."""

    def taken(self, send: Any, elsewhere: int) -> int:
        """Readers elsewhere who have theirs."""


class Smtp:
    def __init__(self, server: smtp_sinks.SlowDomain) -> None:
        self._server = server

    def begin(self, *, puts_off: bool) -> None:
        self._server.puts_off.value, self._server.taken.value = puts_off, 0

    def taken(self, send: Any, elsewhere: int) -> int:  # noqa: ARG002 - the other way asks
        return int(self._server.taken.value)


class SendGrid:
    def __init__(self, database: Any) -> None:
        self._database = database

    def begin(self, *, puts_off: bool) -> None:
        """Events of another send have told of it."""
        from tasks.providers.events import EventKind, ReportedEvent
        from tasks.throttling import deferrals

        if puts_off:
            plain: dict[str, Any] = {"send_id": None, "subscriber_id": None, "attempt": None, "url": "", "agent": ""}
            deferrals.learn(
                ReportedEvent(
                    key=b"", kind=EventKind.DEFERRED, at=int(time.time()), address=f"r{n}@{SLOW}", reason="421", **plain
                )
                for n in range(50)
            )

    def taken(self, send: Any, elsewhere: int) -> int:
        submitted = int(self._database.execute(_SUBMITTED, [send.pk]).fetchone()[0])
        # While the provider is well its readers stand among the others: the last of those comes with the last of all.
        return submitted if send.candidates == elsewhere or self._slowed() else submitted * elsewhere // send.candidates

    def _slowed(self) -> bool:
        return bool(self._database.execute("SELECT count(*) FROM tasks_mailboxdomain").fetchone()[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--transport", choices=["smtp", "sendgrid"], default="smtp")
    parser.add_argument("--readers", type=int, default=20_000, help="readers elsewhere (default %(default)s)")
    parser.add_argument(
        "--share", type=float, default=0.2, help="of the list who are at the provider (default %(default)s)"
    )
    parser.add_argument("--rounds", type=int, default=3, help="of which the medians are told (default %(default)s)")
    options = parser.parse_args()
    with way(options.transport) as (home, over):
        measure(home, over, options)


@contextmanager
def way(transport: str) -> "Iterator[tuple[Home, Way]]":
    """A home whose workers send over it."""
    if transport == "smtp":
        with (
            smtp_sinks.with_slow_domain(SLOW, seconds=NO, latency=MAIL) as server,
            homes.engines(
                NEWSDESK_TRANSPORT="smtp", SMTP_URL=f"smtp://127.0.0.1:{server.port}", NEWSDESK_UNDO_SECONDS="0"
            ) as home,
        ):
            yield home, Smtp(server)
    else:
        with (
            sink.running(latency=REQUEST) as into,
            homes.engines(SENDGRID_API_KEY="SG.bench", SENDGRID_HOST=into.url, NEWSDESK_UNDO_SECONDS="0") as home,
        ):
            yield home, SendGrid(homes.connect(home))


def measure(home: "Home", over: Way, options: argparse.Namespace) -> None:
    publication = editions.publication()
    slow = round(options.readers * options.share / (1 - options.share))
    elsewhere, everybody = lists(publication, options.readers, slow)
    warm = editions.prepared(editions.approved(publication), elsewhere)
    sends = [
        [
            editions.prepared(editions.approved(publication), elsewhere if kind == KINDS[0] else everybody)
            for kind in KINDS
        ]
        for _ in range(options.rounds)
    ]
    times: dict[str, list[Times]] = {kind: [] for kind in KINDS}
    database = homes.connect(home)
    with workers.running(home):
        timed(database, over, warm, options.readers, puts_off=False)
        for turn in sends:
            for kind, send in zip(KINDS, turn, strict=True):
                times[kind].append(timed(database, over, send, options.readers, puts_off=kind == KINDS[2]))
    bare, well, put_off = (
        Times(*(statistics.median(column) for column in zip(*times[kind], strict=True))) for kind in KINDS
    )
    for kind, one in zip(KINDS, (bare, well, put_off), strict=True):
        rate = (1 - KNOWN) * options.readers / one.known
        print(f"{kind}: {rate:.0f}/s elsewhere, {options.readers / one.whole:.0f}/s from the first on")
    print(
        f"ratio to their speed while it is well {well.known / put_off.known:.2f} (target {TARGET}), from the first on "
        f"{well.whole / put_off.whole:.2f}; to that without its readers {bare.known / put_off.known:.2f}, "
        f"from the first on {bare.whole / put_off.whole:.2f}"
    )
    rounds = zip(times[KINDS[1]], times[KINDS[2]], strict=True)
    print(f"ratio of each round: {', '.join(f'{one.known / other.known:.2f}' for one, other in rounds)}")
    print(
        f"{options.transport}: {options.readers} readers elsewhere, {options.share:.0%} of the list at the provider · Python "
        f"{platform.python_version()}, {os.cpu_count()} cores, {platform.system()}, load {os.getloadavg()[0]:.1f}"
    )


def lists(publication: Any, elsewhere: int, slow: int) -> tuple[Any, Any]:
    """A list of those elsewhere, and one on which so many at the provider stand among them."""
    from django.db import connection

    from subscribers.models import List

    everybody = editions.fill_list(publication, "everybody", elsewhere + slow)
    without = List.objects.create(publication=publication, slug="elsewhere", name="Elsewhere")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE subscribers_subscriber SET email = 'reader' || id || '@' || %s WHERE id IN"
            " (SELECT id FROM subscribers_subscriber ORDER BY md5(id::text) LIMIT %s)",
            [SLOW, slow],
        )
        cursor.execute(
            "INSERT INTO subscribers_subscription (subscriber_id, list_id, status)"
            " SELECT id, %s, 'active' FROM subscribers_subscriber WHERE email NOT LIKE '%%' || %s",
            [without.pk, SLOW],
        )
        cursor.execute("ANALYZE subscribers_subscriber, subscribers_subscription")
    return without, everybody


def timed(database: Any, over: Way, send: Any, elsewhere: int, *, puts_off: bool) -> Times:
    """Send it; afterwards nobody is lost, nobody has it twice, and nothing is left for the next."""
    from tasks.sends import control
    from tasks.sends.counts import counts

    send.refresh_from_db()
    over.begin(puts_off=puts_off)
    began, known = time.perf_counter(), 0.0
    assert control.resume(send.pk)
    taken, since = -1, time.monotonic()
    while (now := over.taken(send, elsewhere)) < elsewhere:
        if now != taken:
            taken, since = now, time.monotonic()
        if not known and taken >= KNOWN * elsewhere:
            known = time.perf_counter()
        assert time.monotonic() - since < PATIENCE, f"{taken} of {elsewhere} were taken, and no more"
        time.sleep(0.005)
    ended = time.perf_counter()
    while database.execute(_IN_FLIGHT, [send.pk]).fetchone()[0]:
        time.sleep(0.05)
    control.cancel(send.pk)
    told = counts(send)
    assert told.adds_up, told
    assert told.submitted + told.excluded.get("cancelled", 0) == told.candidates, told
    assert over.taken(send, elsewhere) == elsewhere, "nobody twice"
    database.execute("DELETE FROM tasks_mailboxdomain")
    return Times(whole=ended - began, known=ended - known)


if __name__ == "__main__":
    main()
