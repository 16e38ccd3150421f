"""What was accepted: the one truth of the sandbox, in a SQLite file that survives kill -9.

An accepted request is committed before its 202 is written. Its body is stored once, compressed; messages and events are
derived from it on demand.
"""

import os
import sqlite3
import threading
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

#: Raised with every change of the tables: an older ledger is refused, not guessed at.
VERSION = 1

_SCHEMA = """
CREATE TABLE IF NOT EXISTS request (
    id INTEGER PRIMARY KEY, message_id TEXT NOT NULL UNIQUE, accepted_at REAL NOT NULL, due_at REAL NOT NULL,
    planned INTEGER NOT NULL DEFAULT 0, recipients INTEGER NOT NULL, category TEXT NOT NULL, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS request_unplanned ON request (due_at) WHERE planned = 0;
CREATE TABLE IF NOT EXISTS category (
    category TEXT NOT NULL, request_id INTEGER NOT NULL,
    PRIMARY KEY (category, request_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY, request_id INTEGER NOT NULL, position INTEGER NOT NULL, address TEXT NOT NULL,
    delivery TEXT, attempt TEXT);
CREATE INDEX IF NOT EXISTS message_request ON message (request_id);
CREATE INDEX IF NOT EXISTS message_address ON message (address);
CREATE TABLE IF NOT EXISTS later (id INTEGER PRIMARY KEY, due_at REAL NOT NULL, event BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS later_due ON later (due_at);
CREATE TABLE IF NOT EXISTS act (
    id INTEGER PRIMARY KEY, due_at REAL NOT NULL, kind TEXT NOT NULL, request_id INTEGER NOT NULL,
    position INTEGER NOT NULL, address TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS post (
    id INTEGER PRIMARY KEY, due_at REAL NOT NULL, events INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
    body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS post_due ON post (due_at);
CREATE TABLE IF NOT EXISTS suppression (
    kind TEXT NOT NULL, address TEXT NOT NULL, created INTEGER NOT NULL, reason TEXT NOT NULL, status TEXT NOT NULL,
    PRIMARY KEY (kind, address)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS delivered (request_id INTEGER PRIMARY KEY, readers INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS tally (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipient:
    """One address of one personalization."""

    #: Index of the personalization in its request.
    position: int
    #: In lower case.
    address: str
    delivery: str | None = None
    attempt: str | None = None


@dataclass(frozen=True, kw_only=True)
class StoredRequest:
    id: int
    #: The X-Message-Id of its answer.
    message_id: str
    accepted_at: float
    #: The decoded JSON of the request.
    mail: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class StoredMessage:
    id: int
    request: StoredRequest
    recipient: Recipient


class LedgerError(Exception):
    """The file is no ledger of this version."""


class Ledger:
    """The SQLite file. Writers share one connection and one lock, readers another pair."""

    def __init__(self, path: Path) -> None:
        """Open or make the file. Raises LedgerError."""
        self._lock, self._reading = threading.RLock(), threading.RLock()
        try:
            self._writer = self._connect(path)
            version = self._writer.execute("PRAGMA user_version").fetchone()[0]
        except sqlite3.DatabaseError as error:
            raise LedgerError(f"{path}: {error}") from error
        if version not in (0, VERSION):
            raise LedgerError(f"{path}: made by another version; remove it to start afresh")
        self._writer.executescript(
            f"PRAGMA synchronous = OFF; BEGIN; {_SCHEMA} PRAGMA user_version = {VERSION}; COMMIT; PRAGMA synchronous = NORMAL;"
        )
        self._reader = self._connect(path)
        self._recent: dict[int, StoredRequest] = {}

    @staticmethod
    def _connect(path: Path) -> sqlite3.Connection:
        # SQLite gives its journal and index the rights of the database's file.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)
        connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=30)
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA journal_mode = WAL")
        # In WAL mode NORMAL loses nothing when a process is killed, only (at most) when the machine loses power.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA journal_size_limit = 67108864")
        return connection

    def close(self) -> None:
        with self._lock, self._reading:
            self._reader.close()
            self._writer.close()

    def forget(self) -> None:
        """Let nothing of what was deleted or changed stay in the file, or in the memory of requests."""
        with self._lock, self._reading:
            self._recent = {}
            self._writer.execute("VACUUM")
            self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: committed at the end, rolled back on an exception."""
        with self._lock:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
            except BaseException:
                self._writer.execute("ROLLBACK")
                raise
            self._writer.execute("COMMIT")

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query over what is committed."""
        with self._reading, closing(self._reader.execute(sql, values)) as cursor:
            return cursor.fetchall()

    def value(self, sql: str, values: Sequence[Any] = ()) -> Any:
        """The first column of the first row."""
        return self.rows(sql, values)[0][0]

    def accept(
        self,
        *,
        message_id: str,
        body: bytes,
        categories: Sequence[str],
        recipients: Iterable[Recipient],
        now: float,
        due_at: float,
    ) -> int:
        """Record an accepted request durably; returns its id. Times in unix seconds."""
        compressed = zlib.compress(body, 1)
        listed = [(each.position, each.address, each.delivery, each.attempt) for each in recipients]
        with self.writing() as connection:
            request_id = connection.execute(
                "INSERT INTO request (message_id, accepted_at, due_at, recipients, category, body) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (message_id, now, due_at, len(listed), next(iter(categories), ""), compressed),
            ).lastrowid
            assert request_id is not None
            connection.executemany(
                "INSERT INTO message (request_id, position, address, delivery, attempt) VALUES (?, ?, ?, ?, ?)",
                [(request_id, *each) for each in listed],
            )
            connection.executemany(
                "INSERT INTO category (category, request_id) VALUES (?, ?)",
                [(category, request_id) for category in categories],
            )
        return request_id

    def request(self, request_id: int) -> StoredRequest:
        """A stored request. Raises KeyError."""
        known = self._recent.get(request_id)
        if known is not None:
            return known
        rows = self.rows("SELECT message_id, accepted_at, body FROM request WHERE id = ?", (request_id,))
        if not rows:
            raise KeyError(request_id)
        message_id, accepted_at, body = rows[0]
        mail = orjson.loads(zlib.decompress(body))
        request = StoredRequest(id=request_id, message_id=message_id, accepted_at=accepted_at, mail=mail)
        recent = dict(list(self._recent.items())[-3:])
        self._recent = {**recent, request_id: request}
        return request

    def message(self, message_id: int) -> StoredMessage:
        """A stored message by its number in the ledger. Raises KeyError."""
        rows = self.rows(f"SELECT {_MESSAGE} FROM message WHERE id = ?", (message_id,))  # noqa: S608
        if not rows:
            raise KeyError(message_id)
        return self._message(rows[0])

    def message_at(self, message_id: str, position: int) -> StoredMessage | None:
        """The message of a personalization of the request with this X-Message-Id; None when there is none."""
        rows = self.rows(
            f"SELECT {_MESSAGE} FROM message WHERE position = ?"  # noqa: S608 -- fixed texts
            " AND request_id = (SELECT id FROM request WHERE message_id = ?) ORDER BY id LIMIT 1",
            (position, message_id),
        )
        return self._message(rows[0]) if rows else None

    def messages(
        self,
        *,
        address: str = "",
        contains: str = "",
        delivery: str = "",
        category: str = "",
        before: int | None = None,
        limit: int = 100,
    ) -> list[StoredMessage]:
        """Messages that fit every given condition, newest first."""
        conditions: list[tuple[str, Any]] = [
            ("address = ?", address.lower()),
            ("instr(address, ?) > 0", contains.lower()),
            ("delivery = ?", delivery),
            ("request_id IN (SELECT request_id FROM category WHERE category = ?)", category),
            ("id < ?", before),
        ]
        used = [(text, value) for text, value in conditions if value]
        where = " AND ".join(text for text, _value in used) or "1"
        sql = f"SELECT {_MESSAGE} FROM message WHERE {where} ORDER BY id DESC LIMIT ?"  # noqa: S608 -- fixed texts
        rows = self.rows(sql, [*(value for _text, value in used), limit])
        return [self._message(row) for row in rows]

    def _message(self, row: tuple[Any, ...]) -> StoredMessage:
        number, request_id, position, address, delivery, attempt = row
        recipient = Recipient(position=position, address=address, delivery=delivery, attempt=attempt)
        return StoredMessage(id=number, request=self.request(request_id), recipient=recipient)

    def accepted(self) -> int:
        """Recipients accepted ever."""
        return int(self.value("SELECT coalesce(sum(recipients), 0) FROM request"))

    def counts(self, category: str | None = None) -> dict[str, int]:
        """Accepted requests and recipients, distinct (category, address), and recipients beyond the first of each.

        Without a category, a request counts under its first one.
        """
        source, values = _source(category)
        readers = (
            f"SELECT count(*) AS n FROM message m JOIN {source} r ON r.id = m.request_id GROUP BY r.category, m.address"  # noqa: S608
        )
        requests = self.value(f"SELECT count(*) FROM {source}", values)  # noqa: S608 -- fixed texts
        accepted, distinct = self.rows(f"SELECT coalesce(sum(n), 0), count(*) FROM ({readers})", values)[0]  # noqa: S608
        return {"requests": requests, "accepted": accepted, "distinct": distinct, "duplicates": accepted - distinct}

    def duplicates(self, category: str | None = None, *, limit: int = 100) -> list[dict[str, Any]]:
        """Who was accepted more than once, under which attempts."""
        source, values = _source(category)
        rows = self.rows(
            "SELECT r.category, m.address, count(*) AS n, group_concat(m.attempt, ' ') FROM message m "  # noqa: S608
            f"JOIN {source} r ON r.id = m.request_id GROUP BY 1, 2 HAVING n > 1 ORDER BY 2 LIMIT ?",
            [*values, limit],
        )
        return [
            {"category": name, "address": address, "accepted": n, "attempts": (attempts or "").split()}
            for name, address, n, attempts in rows
        ]

    def accepted_in(self, category: str) -> list[tuple[str, str | None, str | None, float]]:
        """(address, delivery, attempt, accepted at) of every message of a category, in the order of acceptance."""
        return self.rows(
            "SELECT m.address, m.delivery, m.attempt, r.accepted_at FROM message m JOIN request r ON r.id = m.request_id"
            " WHERE r.id IN (SELECT request_id FROM category WHERE category = ?) ORDER BY m.id",
            (category,),
        )

    def delivered_in(self, category: str) -> int:
        """Messages of a category whose delivery was or will be reported; those of a request count once it is planned."""
        return int(
            self.value(
                "SELECT coalesce(sum(readers), 0) FROM delivered"
                " WHERE request_id IN (SELECT request_id FROM category WHERE category = ?)",
                (category,),
            )
        )


def _source(category: str | None) -> tuple[str, list[Any]]:
    """(id, category) of the requests to count, as SQL."""
    if category:
        return "(SELECT request_id AS id, category FROM category WHERE category = ?)", [category]
    return "request", []


_MESSAGE = "id, request_id, position, address, delivery, attempt"
