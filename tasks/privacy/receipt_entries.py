"""One person's events in the raw bodies of webhook calls, which hold thousands of people's."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from django.db import connection

from tasks.privacy.naming import Naming, strings

_FOUND = """
SELECT id, provider, body, received_at, applied_at FROM tasks_receipt
 WHERE lower(encode(body, 'escape')) LIKE ANY(%s) AND id > %s ORDER BY id LIMIT %s
"""
_AT_ONCE = 50


@dataclass(frozen=True, kw_only=True)
class FoundReceipt:
    """A body in which the person stands."""

    id: int
    provider: str
    body: bytes
    received_at: datetime
    applied: bool
    #: The body's entries; None where it is no JSON.
    entries: list[Any] | None
    #: Positions of the person's own.
    theirs: frozenset[int]


def receipts_naming(naming: Naming, subscriber_id: int | None) -> Iterator[FoundReceipt]:
    """All receipts that name the address, or the reader by id alone, the oldest first."""
    likes = naming.likes_of_bytes()
    if subscriber_id is not None:
        likes.append(f'%.{subscriber_id}"%')
    last = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_FOUND, [likes, last, _AT_ONCE])
            rows = cursor.fetchall()
        for receipt_id, provider, body, received_at, applied_at in rows:
            last = receipt_id
            found = _read(bytes(body), naming, subscriber_id)
            if found is not None:
                entries, theirs = found
                yield FoundReceipt(
                    id=last,
                    provider=provider,
                    body=bytes(body),
                    received_at=received_at,
                    applied=applied_at is not None,
                    entries=entries,
                    theirs=theirs,
                )
        if len(rows) < _AT_ONCE:
            return


def _read(body: bytes, naming: Naming, subscriber_id: int | None) -> tuple[list[Any] | None, frozenset[int]] | None:
    """The entries and which of them are the person's; None where nothing is."""
    try:
        decoded = orjson.loads(body)
    except orjson.JSONDecodeError:
        try:
            decoded = json.loads(body.decode("utf-8-sig", "replace"))
        except (ValueError, RecursionError):
            return (None, frozenset()) if naming.names(body.decode("utf-8", "replace")) else None
    entries = decoded if isinstance(decoded, list) else [decoded]
    theirs = frozenset(at for at, entry in enumerate(entries) if _is_about(entry, naming, subscriber_id))
    return (entries, theirs) if theirs else None


def _is_about(entry: object, naming: Naming, subscriber_id: int | None) -> bool:
    if any(naming.names(text) for text in strings(entry)):
        return True
    if subscriber_id is None or not isinstance(entry, dict) or entry.get("email"):
        # Another installation on the same account may have the same ids: where there is an address, it decides.
        return False
    return str(entry.get("nd_delivery") or "").partition(".")[2] == str(subscriber_id)
