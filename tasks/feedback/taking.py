"""Taking receipts that wait: several at a time, each by one worker, and none that keeps failing in the way of the others."""

import time
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from tasks.database.statements import run
from tasks.providers import registry
from tasks.providers.events import ReportedEvent, UnreadableBodyError

#: Receipts that are applied in one transaction: as many as bring some ten thousand events, which are then in memory together.
MOST_RECEIPTS = 64
MOST_BYTES = 4 * 1024 * 1024
#: Seconds for which a receipt that failed is left to itself, so that those behind it get on.
SET_APART_SECONDS = 60.0

#: The oldest that nobody is applying right now, all of one provider.
_WAITING = """
SELECT id, provider, octet_length(body) FROM tasks_receipt
WHERE applied_at IS NULL AND error = '' AND id <> ALL(%b::bigint[]) ORDER BY id LIMIT %b FOR UPDATE SKIP LOCKED
"""
_HOLD = """
SELECT id, provider, received_at FROM tasks_receipt
WHERE id = ANY(%b::bigint[]) AND applied_at IS NULL ORDER BY id FOR UPDATE SKIP LOCKED
"""
_BODY = "SELECT body FROM tasks_receipt WHERE id = %b"

#: Receipts that failed in this process, each with when they may be tried again.
_set_apart: dict[int, float] = {}


class Held(NamedTuple):
    """A receipt that is ours until the transaction ends."""

    id: int
    provider: str
    received_at: datetime


class Read(NamedTuple):
    """What stands in a receipt."""

    receipt: Held
    events: list[ReportedEvent]
    #: One line for each entry that is not an event.
    problems: list[str]
    #: Why nothing at all could be read; empty otherwise.
    unreadable: str


def waiting() -> list[int]:
    """The oldest receipts that wait for a worker, as many as should be applied together. Raises the database's errors."""
    now = time.monotonic()
    for receipt_id in [one for one, until in _set_apart.items() if until <= now]:
        del _set_apart[receipt_id]
    return list(_together(run(_WAITING, (list(_set_apart), MOST_RECEIPTS))))


def _together(rows: Sequence[tuple[int, str, int]]) -> Iterator[int]:
    left = MOST_BYTES
    for receipt_id, provider, size in rows:
        left -= size
        if provider != rows[0][1] or (left < 0 and receipt_id != rows[0][0]):
            return
        yield receipt_id


def hold(receipt_ids: Collection[int]) -> list[Held]:
    """Those that are not applied and nobody else holds, locked until the transaction ends."""
    return [Held(*row) for row in run(_HOLD, (list(receipt_ids),))]


def read(receipt: Held) -> Read:
    """The receipt in the words of the provider that posted it."""
    ((body,),) = run(_BODY, (receipt.id,))
    known = registry.provider(receipt.provider)
    reader = (known.webhook or known.mail_reports) if known else None
    if reader is None:
        return Read(receipt, [], [], unreadable=f"there is no provider {receipt.provider!r} here that reports anything")
    try:
        return Read(receipt, *reader.parse(bytes(body)), unreadable="")
    except UnreadableBodyError as unreadable:
        return Read(receipt, [], [], unreadable=str(unreadable))


def set_apart(receipt_id: int) -> None:
    """Leave a receipt that could not be applied to itself for a while."""
    _set_apart[receipt_id] = time.monotonic() + SET_APART_SECONDS
