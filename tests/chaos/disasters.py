"""What befalls the processes of a house while a send is under way."""

import os
import random
import signal
import threading
import time
from typing import Any

import psycopg

from tests.chaos.house import House
from tests.machine import children, command, flush_broker
from tests.small_disk import fill
from tests.waiting import eventually

#: Marks of the command lines of what `newsdesk up` starts.
MARKS = {
    "kill worker": "tasks.celery worker",
    "kill beat": "tasks.celery beat",
    "kill web": "gunicorn",
    "kill valkey": "valkey-server",
    "kill postgres": "bin/postgres",
    "kill sandbox": "-m sandbox",
}
#: Tables whose times the code compares with now. Not those that only tell a story: they are large.
_TIMES = """
SELECT table_name, array_agg(column_name::text ORDER BY column_name) FROM information_schema.columns
 WHERE table_schema = 'public' AND data_type = 'timestamp with time zone'
   AND table_name = ANY(%s) GROUP BY table_name
"""
#: In the order in which the code locks them.
CLOCKED = (
    "tasks_send",
    "tasks_batch",
    "tasks_attempt",
    "tasks_receipt",
    "tasks_transportstate",
    "tasks_mailboxdomain",
    "tasks_webhookstate",
    "tasks_letter",
)
_BUILDING = "SELECT id, claimed_by FROM tasks_batch WHERE status = 'building' AND claimed_by <> ''"


def strike(what: str, house: House, dice: random.Random) -> bool:
    """Do it now; False when there was nobody to do it to (who was killed before is just starting again)."""
    if what == "kill everything":
        house.kill_everything()
        return True
    if what == "flush valkey":
        return _flush(house)
    if what == "kill worker child":
        return kill(some_child(house, dice), signal.SIGKILL)
    if what == "kill postgres backend":
        # The postmaster then ends all others and recovers: whatever of shared memory it held is not to be trusted.
        found = house.rows(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return bool(found) and kill(int(dice.choice(found)[0]), signal.SIGKILL)
    if what == "stop postgres":
        # An immediate shutdown: nothing is written down, the next start recovers.
        return kill(house.up.child(MARKS["kill postgres"]), signal.SIGQUIT)
    return kill(house.up.child(MARKS[what]), signal.SIGKILL)


def suspend(what: str, house: House, seconds: float) -> bool:
    """Stop a service with all its processes for so long; it goes on by a clock of its own."""
    main = house.up.child(MARKS[what.replace("suspend", "kill")])
    pids = [pid for pid in [main, *children(main)] if kill(pid, signal.SIGSTOP)] if main else []

    def go_on() -> None:
        for pid in pids:
            kill(pid, signal.SIGCONT)

    threading.Timer(seconds, go_on).start()
    return bool(pids)


def fill_disk(house: House, seconds: float) -> bool:
    """Leave no room on the home's disk for so long; False where it has none of its own."""
    if not house.has_its_own_disk:
        return False
    everything_else = fill(house.home.path)
    threading.Timer(seconds, everything_else.unlink).start()
    return True


def some_child(house: House, dice: random.Random) -> int:
    """A process of the worker that submits; 0 when there is none."""
    main = house.up.child(MARKS["kill worker"])
    family = [pid for pid in children(main) if "worker" in command(pid)] if main else []
    return dice.choice(family) if family else 0


def stop_a_builder(house: House, patience: float = 3.0) -> int:
    """Suspend a process of the worker between its claim and its fence; 0 when none was caught in time."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        for batch, claimed_by in house.rows(_BUILDING):
            pid = int(claimed_by.split("/")[-2])
            if not kill(pid, signal.SIGSTOP):
                continue
            if house.rows(f"{_BUILDING} AND id = %s AND claimed_by = %s", [batch, claimed_by]):
                return pid
            kill(pid, signal.SIGCONT)
    return 0


def kill(pid: int, number: int) -> bool:
    if not pid:
        return False
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def _flush(house: House) -> bool:
    def flushed() -> bool:
        try:
            flush_broker(house.home)
        except OSError:
            return False
        except Exception as error:  # noqa: BLE001 - the broker may be on its way up
            return "redis" not in type(error).__module__
        return True

    return eventually(flushed)


def step_clock(house: House, seconds: int) -> float:
    """Make every stored time look as after a step of the database's clock by so many seconds; the moment of it.

    A real step (`date -s`) would disturb the whole machine, a time namespace moves the monotonic clocks only, and
    libfaketime is in no image we test on. The code compares stored times with the database's now(): moving all stored
    times by -x in one transaction is what a step by +x looks like to it. CLOCK_BOOTTIME does not step, here as there.
    """

    def shift(database: "psycopg.Connection[Any]") -> float:
        with database.transaction():
            # Should we wait for each other in a circle, the harness gives way and not the code under test.
            database.execute("SET LOCAL deadlock_timeout = '20ms'")
            database.execute("SET LOCAL lock_timeout = '3s'")
            columns: dict[str, list[str]] = dict(database.execute(_TIMES, [list(CLOCKED)]).fetchall())
            for table in CLOCKED:
                database.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE".encode())
            for table in CLOCKED:
                moved = ", ".join(f"{name} = {name} - make_interval(secs => %(s)s)" for name in columns[table])
                database.execute(f"UPDATE {table} SET {moved}".encode(), {"s": seconds})
            return time.time()

    # Whatever stands in the way is an OperationalError too: it is tried again.
    moment: float = house.with_database(shift)
    return moment
