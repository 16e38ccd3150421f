"""One mailbox provider that says "later" to its readers, and the speed of all others, through SMTP, in the same run.

    python benchmarks/slow_domain.py [--readers 20000] [--share 0.2] [--seconds 0.5] [--latency 0.005] [--rounds 3]

Real Celery workers (prefork 2, four connections each) send an edition to the same readers three times over, by turns: without the
provider's readers, with them while it takes their mail, and with them while it puts off whoever is asked for, `--seconds` after it
was. The sink stands for a relay that looks at the receiving server before it answers, and needs `--latency` seconds for each mail it
takes, so that waiting counts and not this machine's processors. Every batch holds readers of both.

The clock runs until the sink has taken the mail of the last reader elsewhere, from when it has taken a tenth of it: by then the
provider is known. The target is a ratio of 0.95 to their speed where its readers are not on the list at all. Beside it are told the
same from `resume` on, since the first readers are refused before anybody knows (the first batch is alone, so that everybody waits
for its refusals), and the ratio to their speed while the provider is well.
"""

import argparse
import os
import platform
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.support import editions, homes, smtp_sinks, workers

if TYPE_CHECKING:
    from newsdesk.core.home import Home

TARGET = 0.95
SLOW = "slow.example.net"
PATIENCE = 60.0
_IN_FLIGHT = b"SELECT count(*) FROM tasks_batch WHERE send_id = %s AND status IN ('building', 'submitting')"
#: Of the readers elsewhere, who have theirs when the provider is known.
KNOWN = 0.1
KINDS = ("without its readers", "while it is well", "while it puts off")


class Times(NamedTuple):
    """Seconds until the last reader elsewhere has theirs: from the first on, and from when the provider was known."""

    whole: float
    known: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readers", type=int, default=20_000, help="readers elsewhere (default %(default)s)")
    parser.add_argument(
        "--share", type=float, default=0.2, help="of the list who are at the provider (default %(default)s)"
    )
    parser.add_argument("--seconds", type=float, default=0.5, help="until it says no (default %(default)s)")
    parser.add_argument("--latency", type=float, default=0.005, help="until any mail is taken (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="of which the medians are told (default %(default)s)")
    options = parser.parse_args()
    with (
        smtp_sinks.with_slow_domain(SLOW, seconds=options.seconds, latency=options.latency) as sink,
        homes.engines(
            NEWSDESK_TRANSPORT="smtp", SMTP_URL=f"smtp://127.0.0.1:{sink.port}", NEWSDESK_UNDO_SECONDS="0"
        ) as home,
    ):
        measure(home, sink, options)


def measure(home: "Home", sink: smtp_sinks.SlowDomain, options: argparse.Namespace) -> None:
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
        timed(database, sink, warm, options.readers)
        for turn in sends:
            for kind, send in zip(KINDS, turn, strict=True):
                sink.puts_off.value = kind == KINDS[2]
                times[kind].append(timed(database, sink, send, options.readers))
    bare, well, put_off = (
        Times(*(statistics.median(column) for column in zip(*times[kind], strict=True))) for kind in KINDS
    )
    for kind, one in zip(KINDS, (bare, well, put_off), strict=True):
        print(
            f"{kind}: {0.9 * options.readers / one.known:.0f}/s elsewhere, {options.readers / one.whole:.0f}/s from the first on"
        )
    print(
        f"ratio to their speed without its readers {bare.known / put_off.known:.2f} (target {TARGET}), "
        f"from the first on {bare.whole / put_off.whole:.2f}; to that while it is well {well.known / put_off.known:.2f}"
    )
    rounds = zip(times[KINDS[0]], times[KINDS[2]], strict=True)
    print(f"ratio of each round: {', '.join(f'{one.known / other.known:.2f}' for one, other in rounds)}")
    print(
        f"{options.readers} readers elsewhere, {options.share:.0%} of the list at the provider, which says no after "
        f"{options.seconds:g} s · Python {platform.python_version()}, {os.cpu_count()} cores, {platform.system()}, "
        f"load {os.getloadavg()[0]:.1f}"
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


def timed(database: Any, sink: smtp_sinks.SlowDomain, send: Any, elsewhere: int) -> Times:
    """Send it; afterwards nobody is lost, nobody has it twice, and nothing is left for the next."""
    from tasks.sends import control
    from tasks.sends.counts import counts

    sink.taken.value = 0
    began, known = time.perf_counter(), 0.0
    assert control.resume(send.pk)
    taken, since = -1, time.monotonic()
    while sink.taken.value < elsewhere:
        if sink.taken.value != taken:
            taken, since = sink.taken.value, time.monotonic()
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
    assert sink.taken.value == elsewhere, "nobody twice"
    if database.execute("SELECT to_regclass('tasks_mailboxdomain')").fetchone()[0]:
        database.execute("DELETE FROM tasks_mailboxdomain")
    return Times(whole=ended - began, known=ended - known)


if __name__ == "__main__":
    main()
