"""Ledgers of sends whose deliveries are no longer in the database: CSV files, compressed by gzip, in the home.

A file has the columns and the rows of the recipient report (`tasks.sends.recipient_report`), but no address: a reader is their number, and
nothing needs to be taken out of a file when somebody is erased. Whoever reads it is given the addresses of readers there are now.
"""

import csv
import gzip
import hashlib
import os
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from django.conf import settings
from django.db import connection

from newsdesk.core.errors import OperationFailedError
from tasks.models import ArchivedSend, Send

_AT_ONCE = 1000
_ADDRESSES = """
SELECT id, CASE WHEN email ~ '^[=+@\\t\\r-]' THEN '''' || email ELSE email END
  FROM subscribers_subscriber WHERE id = ANY(%s::bigint[])
"""


class ArchiveUnreadableError(OperationFailedError):
    """The file is not in this home, or not as it was written."""


def dropped(send_id: int) -> ArchivedSend | None:
    """The archive of a send whose deliveries are gone; None while they are there."""
    return ArchivedSend.objects.filter(pk=send_id, dropped_at__isnull=False).first()


def archived_of_edition(edition_id: int) -> Send | None:
    """A send of the edition whose deliveries are gone, so that nobody can tell any more who has it."""
    return Send.objects.filter(edition_id=edition_id, archive__dropped_at__isnull=False).first()


def why_not_again(gone: Send) -> str:
    return f"the deliveries of send {gone.pk} are archived, so nobody can tell who has this edition: copy it into a new one to send it again"


def path_of(archive: ArchivedSend) -> Path:
    return settings.HOME.ledgers / archive.file


@contextmanager
def written(name: str) -> Iterator[gzip.GzipFile]:
    """A new archive to write to: it takes its name when all of it is on the disk, and its place is one that nobody else reads."""
    folder = settings.HOME.ledgers
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = folder / f".{name}.{os.getpid()}"
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            # The same rows make the same bytes, whenever they are written.
            with gzip.GzipFile(fileobj=file, mode="wb", filename="", mtime=0, compresslevel=4) as out:
                yield out
            file.flush()
            os.fsync(file.fileno())
        draft.replace(folder / name)
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    finally:
        draft.unlink(missing_ok=True)


def digest(path: Path) -> str:
    """SHA-256 of a file; "" where there is none."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return ""


def write(archive: ArchivedSend, out: Callable[[bytes], object]) -> None:
    """Pass the report to `out` as `recipient_report.write` does. Raises ArchiveUnreadableError before the first piece, or in the midst of it."""
    lines = _lines(archive)
    out(next(lines))
    while chunk := list(islice(lines, _AT_ONCE)):
        # The column of the address is empty, and no row has more than its line.
        cut = [line.split(b',"",', 1) for line in chunk]
        addresses = _addresses([int(number) for number, _ in cut])
        out(b"".join(b"%b,%b,%b" % (number, addresses.get(int(number), b'""'), rest) for number, rest in cut))


def rows_of(subscriber_ids: Collection[int]) -> Iterator[dict[str, object]]:
    """What the archives hold of a reader, who may have had several numbers, oldest send first. It reads every archive.

    Raises ArchiveUnreadableError.
    """
    heads = tuple(f"{number},".encode() for number in subscriber_ids)
    for archive in ArchivedSend.objects.filter(dropped_at__isnull=False).select_related("send").order_by("pk"):
        lines = _lines(archive)
        names = next(csv.reader([next(lines).decode()]))
        for line in lines:
            if line.startswith(heads):
                row = dict(zip(names, next(csv.reader([line.decode()])), strict=True))
                known = {name: value for name, value in row.items() if value and name not in ("subscriber", "email")}
                yield {"send": archive.pk, "edition": archive.send.edition_id, "archived": archive.file, **known}


def _lines(archive: ArchivedSend) -> Iterator[bytes]:
    path = path_of(archive)
    if digest(path) != archive.sha256:
        raise ArchiveUnreadableError(
            f"the ledger of send {archive.pk} was archived to {path}, and that file is {'not as it was written' if path.exists() else 'not there'}: "
            "put it back from a backup, or from the machine whose worker wrote it"
        )
    try:
        with gzip.open(path) as lines:
            yield from lines
    except (OSError, EOFError, zlib.error) as error:
        raise ArchiveUnreadableError(f"the ledger of send {archive.pk} cannot be read from {path}: {error}") from error


def _addresses(numbers: list[int]) -> dict[int, bytes]:
    """As CSV has them."""
    with connection.cursor() as cursor:
        cursor.execute(_ADDRESSES, [numbers])
        found = cursor.fetchall()
    quoted = ((number, email.replace('"', '""')) for number, email in found)
    return {number: (f'"{email}"' if set(email) & set(',"\r\n') else email).encode() for number, email in quoted}
