"""Whom this account no longer writes to: bounces, blocks, spam reports, invalid addresses, unsubscribes."""

import sqlite3
import threading
import time
from collections.abc import Collection
from typing import Any

from sandbox.ledger import Ledger

KINDS = ("bounces", "blocks", "spam_reports", "invalid_emails", "unsubscribes")

#: Lists whose addresses are dropped next time, with the reason; a block is not permanent.
DROP_REASONS = {
    "bounces": "Bounced Address",
    "spam_reports": "Spam Reporting Address",
    "invalid_emails": "Invalid",
    "unsubscribes": "Unsubscribed Address",
}

#: Which list each mail setting overrides.
BYPASSES = {
    "bypass_bounce_management": ("bounces",),
    "bypass_spam_management": ("spam_reports",),
    "bypass_unsubscribe_management": ("unsubscribes",),
    "bypass_list_management": ("bounces", "spam_reports", "invalid_emails", "unsubscribes"),
}


class Suppressions:
    """The lists, kept in the ledger and mirrored in memory for speed."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._lock = threading.Lock()
        self._known: dict[str, set[str]] = {kind: set() for kind in KINDS}
        for kind, address in ledger.rows("SELECT kind, address FROM suppression"):
            self._known[kind].add(address)

    def reason(self, address: str, *, bypassed: Collection[str] = ()) -> str | None:
        """Why mail to `address` (lower case) is dropped, None when it is not."""
        for kind, reason in DROP_REASONS.items():
            if address in self._known[kind] and kind not in bypassed:
                return reason
        return None

    def add(
        self, connection: sqlite3.Connection, kind: str, address: str, *, reason: str = "", status: str = ""
    ) -> None:
        """Within the caller's transaction."""
        connection.execute(
            "INSERT OR REPLACE INTO suppression (kind, address, created, reason, status) VALUES (?, ?, ?, ?, ?)",
            (kind, address, int(time.time()), reason, status),
        )
        with self._lock:
            self._known[kind].add(address)

    def listed(
        self, kind: str, *, address: str = "", since: int = 0, limit: int = 500, offset: int = 0
    ) -> list[dict[str, Any]]:
        """One page of a list in the API's form, newest first; `since` in Unix seconds."""
        where, values = ("AND address = ?", [address.lower()]) if address else ("", [])
        rows = self._ledger.rows(
            "SELECT created, address, reason, status FROM suppression "  # noqa: S608 -- fixed texts
            f"WHERE kind = ? AND created >= ? {where} ORDER BY created DESC, address LIMIT ? OFFSET ?",
            [kind, since, *values, limit, offset],
        )
        return [_as_json(kind, *row) for row in rows]

    def remove(self, kind: str, addresses: Collection[str] | None = None) -> int:
        """Take addresses (or all, None) off a list; returns how many were on it."""
        with self._ledger.writing() as connection, self._lock:
            known = self._known[kind]
            removed = set(known) if addresses is None else {address.lower() for address in addresses} & known
            connection.executemany(
                "DELETE FROM suppression WHERE kind = ? AND address = ?", [(kind, address) for address in removed]
            )
            known -= removed
        return len(removed)


def _as_json(kind: str, created: int, address: str, reason: str, status: str) -> dict[str, Any]:
    entry: dict[str, Any] = {"created": created, "email": address}
    if kind in ("bounces", "blocks"):
        return {**entry, "reason": reason, "status": status}
    if kind == "invalid_emails":
        return {**entry, "reason": reason}
    return {**entry, "ip": "192.0.2.1"} if kind == "spam_reports" else entry
