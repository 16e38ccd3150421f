"""Restores a dump. The old database is kept under another name, and nothing that went out after the dump goes out again.

docs/how-to/back-up-and-restore.md tells the operator's side.
"""

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import structlog
from django.conf import settings
from django.db import connection, connections
from psycopg import sql

from newsdesk.core.errors import InputError, OperationFailedError
from newsdesk.local_stack import later_decisions, later_opt_outs, schema
from newsdesk.local_stack.engines import binaries
from newsdesk.local_stack.later_opt_outs import OptOuts
from tasks.database import high_water, id_sequences
from tasks.feedback import applying
from tasks.models import Receipt, Send
from tasks.sends import counts, database_behind, database_moved

log = structlog.get_logger(__name__)

#: Where one stands to rename another: a database that every server has.
_MAINTENANCE = "postgres"
_OTHERS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
_REPORTS_LOST = (
    "The database was restored from a backup. It knows of every request that was made, but reports about those under way may be lost: "
    "look at the provider's record, decide about what stays unknown, and resume the send."
)
#: Seconds that a backend is given to end, once its process has left.
UNTIL_GONE = 5.0
_BETWEEN_LOOKS = 0.1
#: What each send had submitted, to compare the old database with the restored one.
_SUBMITTED = """
SELECT b.send_id, e.title, a.id::text, a.size FROM tasks_attempt a JOIN tasks_batch b ON b.id = a.batch_id
  JOIN tasks_send s ON s.id = b.send_id JOIN composer_edition e ON e.id = s.edition_id WHERE a.outcome <> 'refused'
"""
#: libpq's name in the environment for what DATABASE_URL may say after its question mark.
_OPTIONS = {"sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY"}
_Submitted = Mapping[str, tuple[int, str, int]]
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, kw_only=True)
class Restored:
    """What a restore found."""

    #: The database as it was before, kept under this name.
    kept_as: str
    #: What went out after the dump, as far as the old database knows: a line for each send.
    sent_after: tuple[dict[str, Any], ...]
    #: Requests that the mark knows and the dump does not; None where there is no mark.
    forgotten: int | None
    #: Sends that wait for a person.
    held: tuple[int, ...]
    #: Webhook calls that had waited, in the dump or since, and were applied now.
    replayed: int
    sends: int
    #: Sends whose numbers do not add up.
    unbalanced: tuple[int, ...]
    #: Opt-outs of after the dump; None where nobody knows of any (`opt_outs_unknown` says why), or they were to be forgotten.
    opt_outs: OptOuts | None = None
    opt_outs_unknown: str = ""


def restore(dump: Path, *, forget_opt_outs: bool = False) -> Restored:
    """Put the dump in the place of the database. Raises InputError and OperationFailedError, and then all is as before.

    Opt-outs of after the dump are carried over, unless they are to be forgotten.
    """
    refuse_unreadable(dump)
    _refuse_while_used()
    before = _submitted()
    name = str(connection.settings_dict["NAME"])
    kept_as = f"{name}_before_{datetime.now(UTC):%Y%m%d_%H%M%S}"
    connections.close_all()
    _swap(name, kept_as, dump)
    schema.bring_up_to_date()
    # First of all: whatever goes wrong afterwards, nothing is sent again.
    held, after, forgotten = _guard(kept_as, before)
    opt_outs, unknown = (None, "") if forget_opt_outs else _asked(kept_as, later_opt_outs.carry_over)
    replayed = _replay()
    sends = list(Send.objects.order_by("pk"))
    return Restored(
        kept_as=kept_as,
        sent_after=tuple(after),
        forgotten=forgotten,
        held=tuple(held),
        replayed=replayed,
        sends=len(sends),
        unbalanced=tuple(send.pk for send in sends if not counts.counts(send).adds_up),
        opt_outs=opt_outs,
        opt_outs_unknown=unknown,
    )


def _asked(kept_as: str, ask: Callable[["psycopg.Connection[Any]"], _Answer]) -> tuple[_Answer | None, str]:
    """What the database as it was answers; or None, and why it does not."""
    try:
        with _connected(kept_as) as kept:
            kept.read_only = True
            if not later_opt_outs.is_ours(kept):
                return None, "there was no database of this installation before"
            return ask(kept), ""
    except Exception as error:
        # A damaged database may be why this one is restored: what it cannot tell must not stand in the way.
        log.exception("database_as_it_was_not_read", kept_as=kept_as, asked=ask.__qualname__)
        return None, f"the database as it was could not be read to its end: {type(error).__name__}: {error}"


def _guard(kept_as: str, before: _Submitted) -> tuple[list[int], list[dict[str, Any]], int | None]:
    """Let wait what may be out or was taken back: the sends that wait, `sent_after` and `forgotten` of `Restored`."""
    mark = high_water.read(high_water.installation())
    last = high_water.last_fence()
    after = _sent_after(before)
    if mark is None or mark.from_copy or mark.fence > last or after:
        held = database_behind.confirm(who="newsdesk restore", restored=True)
        if mark is not None:
            high_water.catch_up(mark)
    else:
        held = _hold_what_was_undone(kept_as)
        database_moved.follow_restore()
    _, unknown = _asked(kept_as, id_sequences.continue_from)
    if unknown:
        id_sequences.leap()
    database_behind.report_sent_after([(line["send"], line["edition"], line["readers"]) for line in after])
    return held, after, max(mark.fence - last, 0) if mark else None


def _hold_what_was_undone(kept_as: str) -> list[int]:
    """The sends that wait although every request is known: reports may be lacking, or what people decided."""
    # First, while they are as the dump has them.
    undone, unknown = _asked(kept_as, later_decisions.hold_undone)
    undone = later_decisions.hold_undone(None) if unknown else undone or []
    return sorted({*undone, *database_behind.hold_sends_with_open_requests(_REPORTS_LOST)})


def _replay() -> int:
    """Apply what was reported and not applied yet, when the dump was made or by the database as it was; how many calls.

    One that fails waits on, as it did before.
    """
    waiting = list(Receipt.objects.filter(applied_at=None, error="").order_by("pk").values_list("pk", flat=True))
    applied = 0
    for receipt_id in waiting:
        try:
            applying.apply_receipt(receipt_id)
        except Exception:
            log.exception("receipt_not_applied", receipt=receipt_id)
        else:
            applied += 1
    return applied


def _submitted() -> _Submitted:
    """Requests that may have been accepted, by attempt: send, edition, readers. Empty where there is no table yet."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT to_regclass('tasks_attempt') IS NOT NULL AND to_regclass('composer_edition') IS NOT NULL"
        )
        if not cursor.fetchone()[0]:
            return {}
        cursor.execute(_SUBMITTED)
        return {attempt: (send, title, size) for send, title, attempt, size in cursor.fetchall()}


def _sent_after(before: _Submitted) -> list[dict[str, Any]]:
    known = _submitted()
    lines: dict[int, dict[str, Any]] = {}
    for attempt, (send, title, size) in sorted(before.items(), key=lambda item: item[1][0]):
        if attempt in known:
            continue
        line = lines.setdefault(send, {"send": send, "edition": title, "requests": 0, "readers": 0})
        line["requests"] += 1
        line["readers"] += size
    return list(lines.values())


def refuse_unreadable(dump: Path) -> None:
    """Raise InputError unless the file is a dump of a Newsdesk database."""
    if not dump.exists():
        raise InputError(f"FILE: there is no {dump}")
    answer = _run("pg_restore", "--list", str(dump))
    if answer.returncode:
        raise InputError(f"FILE: {dump} is not a dump of pg_dump --format=custom: {_last_line(answer.stderr)}")
    if "tasks_send" not in answer.stdout:
        raise InputError(f"FILE: {dump} is a dump of another database: there is no table tasks_send in it")


def _refuse_while_used() -> None:
    """Raise OperationFailedError while others are connected. The server takes a moment to end the backend of one who has left."""
    until = time.monotonic() + UNTIL_GONE
    while others := _others():
        if time.monotonic() < until:
            time.sleep(_BETWEEN_LOOKS)
            continue
        raise OperationFailedError(
            f"{others} other connection{'' if others == 1 else 's'} to the database: stop newsdesk up, or web, workers and "
            "beat on every machine, then try again"
        )


def _others() -> int:
    with connection.cursor() as cursor:
        cursor.execute(_OTHERS)
        (others,) = cursor.fetchone()
    return int(others)


def _swap(name: str, kept_as: str, dump: Path) -> None:
    """The old database gets another name; on any error it gets its own back."""
    old, kept = sql.Identifier(name), sql.Identifier(kept_as)
    with _connected(_MAINTENANCE) as server:
        server.autocommit = True
        server.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(old, kept))
        try:
            server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(old))
            _fill(name, dump)
        except BaseException:
            server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(old))
            server.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(kept, old))
            raise


def _fill(name: str, dump: Path) -> None:
    answer = _run(
        *("pg_restore", "--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges"),
        *("--dbname", name, str(dump)),
    )
    if answer.returncode:
        raise OperationFailedError(f"the dump was not restored, all is as before: {_last_line(answer.stderr)}")


def _connected(name: str) -> "psycopg.Connection[Any]":
    """To another database of the same server. Raises OperationFailedError."""
    given = connection.settings_dict
    try:
        return psycopg.connect(
            dbname=name,
            host=given["HOST"] or None,
            port=given["PORT"] or None,
            user=given["USER"] or None,
            password=given["PASSWORD"] or None,
            **{key: value for key, value in given["OPTIONS"].items() if key in _OPTIONS},
        )
    except psycopg.Error as error:
        raise OperationFailedError(f"the database {name} on the same server: {error}") from error


def _run(program: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """One of PostgreSQL's programs, connected like Django."""
    given = connection.settings_dict
    variables = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD"}
    told = {variable: str(given[key]) for variable, key in variables.items() if given[key]}
    told |= {_OPTIONS[key]: str(value) for key, value in given["OPTIONS"].items() if key in _OPTIONS}
    folder = binaries.postgres(settings.ENVIRONMENT.postgres_bin)
    command: Sequence[str] = (str(folder / program), *arguments)
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **told})  # noqa: S603 - our own programs


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no reason given"])[-1]


def in_words(found: Restored) -> str:
    """What a person must know now."""
    lines = [f"restored; the database as it was is kept as {found.kept_as}: drop it when you no longer need it"]
    lines += [
        f"sent after the dump: send {line['send']}, “{line['edition']}”, to {line['readers']} readers in {line['requests']} requests. "
        "Do not send it to them again"
        for line in found.sent_after
    ]
    if found.forgotten and not found.sent_after:
        lines.append(f"{found.forgotten} requests went out after the dump; which, nobody here knows any more")
    if found.held:
        lines.append(
            f"sends that wait for you: {', '.join(map(str, found.held))} (newsdesk status, settle, resume, cancel)"
        )
    lines.append(_opt_outs_in_words(found))
    if found.replayed:
        lines.append(f"{found.replayed} reports of the provider were replayed")
    if found.unbalanced:
        lines.append(f"the numbers of these sends do not add up: {', '.join(map(str, found.unbalanced))}")
    else:
        lines.append(f"the numbers of {found.sends} sends add up")
    return "\n".join(lines)


def _opt_outs_in_words(found: Restored) -> str:
    if found.opt_outs is None:
        unknown = found.opt_outs_unknown or "as you asked"
        return f"who unsubscribed, complained or was erased after the dump is not known here, and would be mailed: {unknown}"
    one = found.opt_outs
    lacking = (
        f", and {one.not_merged} that could not be merged again: what the one had left, the other has left"
        if one.not_merged
        else ""
    )
    return (
        f"carried over from the database as it was: {one.suppressions} suppressions, {one.left} unsubscribes from lists, "
        f"{one.untracked} refusals to be tracked, {one.erased} erased readers, {one.merged} merged records{lacking}"
    )
