"""Suppressions from a file or one by one: addresses, domains, and hashes of addresses."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from django.db import connection, transaction

from newsdesk.core.advisory_locks import AdvisoryLock, lock_for_transaction
from newsdesk.core.errors import InputError
from subscribers import hashed_suppressions
from subscribers.address_forms import as_hash
from subscribers.addresses import is_domain, stored_form
from subscribers.importing.errors import RowError, shown
from subscribers.importing.presets.generic import GENERIC
from subscribers.importing.presets.preset import folded
from subscribers.importing.records import Record
from subscribers.importing.report import Rejection
from subscribers.importing.rows import address_of
from subscribers.importing.sources import source
from subscribers.models import Subscriber, Suppression
from subscribers.suppression import SuppressionRequest, suppress_many, unsubscribe_addresses

#: Not erased: that is for who asked us, and takes away more.
REASONS = ("unsubscribed", "hard_bounce", "complaint", "invalid", "manual")
_COLUMNS = (*GENERIC.fields["email"], "address", "recipient", "domain", "hash", "md5", "sha1", "sha256", "email_hash", "email_md5",
            "md5_hash", "sha1_hash", "sha256_hash", "email_sha1", "email_sha256", "emailmd5", "hashed_email")  # fmt: skip
_CHUNK = 5000


@dataclass(frozen=True, kw_only=True)
class SuppressionReport:
    """rows = added + known + the rejected."""

    rows: int
    added: int
    #: Suppressed for this reason already, or twice in the file.
    known: int
    #: Readers here whose address has one of the hashes.
    readers: int
    rejected: tuple[Rejection, ...]


def import_suppressions(
    file: Path | BinaryIO, *, reason: str, publication_id: int | None = None, encoding: str = ""
) -> SuppressionReport:
    """Suppress everything in the file, all in one transaction. Its first line may be a heading.

    Raises InputError when the file cannot be read, and for an unsubscribe without its publication.
    """
    name = Path(str(getattr(file, "name", file))).name
    rejected: list[Rejection] = []
    rows = added = 0
    with source(file, encoding) as found, transaction.atomic():
        entries = _entries(found.records(), rejected)
        hashes = False
        while chunk := list(islice(entries, _CHUNK)):
            rows += len(chunk)
            hashes = hashes or any("@" not in entry for entry in chunk)
            added += _suppress(chunk, reason, publication_id, f"import {name}")
        readers = _resolved() if hashes else 0
    return SuppressionReport(
        rows=rows + len(rejected), added=added, known=rows - added, readers=readers, rejected=tuple(rejected)
    )


def suppress_one(text: str, *, reason: str, publication_id: int | None = None, detail: str = "") -> bool:
    """Suppress one address, domain ("@example.com") or hash; False when it was so already. Raises InputError."""
    try:
        entry = _entry(text)
    except RowError as error:
        raise InputError(f"ADDRESS: {error}") from error
    with transaction.atomic():
        new = _suppress([entry], reason, publication_id, detail) == 1
        if "@" not in entry:
            _resolved()
    return new


def _suppress(entries: list[str], reason: str, publication_id: int | None, detail: str) -> int:
    if reason == Suppression.Reason.UNSUBSCRIBED and publication_id is None:
        raise InputError("--reason unsubscribed holds for one publication: say which with --publication")
    requests = [
        SuppressionRequest(address=entry, reason=reason, publication_id=publication_id, detail=detail)
        for entry in entries
    ]
    with connection.cursor() as cursor:
        lock_for_transaction(cursor, AdvisoryLock.IMPORT)
    added = suppress_many(requests)
    unsubscribe_addresses(requests)
    return added


def _resolved() -> int:
    """How many readers of ours have a hash that is suppressed, and were not suppressed yet."""
    return hashed_suppressions.resolve(
        email.lower() for email in Subscriber.objects.order_by().values_list("email", flat=True).iterator(5000)
    )


def _entries(records: Iterator[Record], rejected: list[Rejection]) -> Iterator[str]:
    chosen: int | None = None
    for at, record in enumerate(records):
        if record.problem:
            rejected.append(Rejection(record.line, record.problem))
            continue
        if at == 0:
            names = [folded(cell) for cell in record.cells]
            chosen = next((names.index(name) for name in _COLUMNS if name in names), None)
            if chosen is not None:
                continue
        try:
            yield _of_row(record.cells, chosen)
        except RowError as error:
            rejected.append(Rejection(record.line, str(error)))


def _of_row(cells: list[str], chosen: int | None) -> str:
    filled = [cell for cell in cells if cell.strip()]
    if chosen is not None or len(filled) == 1:
        return _entry(filled[0] if chosen is None else (cells[chosen : chosen + 1] or [""])[0])
    # Beside other cells a bare domain would be a guess.
    found = next((cell for cell in filled if "@" in cell or as_hash(cell)), "")
    if not found:
        raise RowError("no cell is an address, a domain or a hash")
    return _entry(found)


def _entry(text: str) -> str:
    """As a suppression names it. Raises RowError."""
    wanted = stored_form(text).removeprefix("mailto:").removeprefix("*")
    if not wanted:
        raise RowError("no address")
    if digest := as_hash(wanted):
        return digest
    domain = wanted.removeprefix("@")
    if is_domain(domain):
        return f"@{domain}"
    if "@" not in domain:
        raise RowError(f"{shown(text.strip())} is no address, no domain and no hash")
    return address_of(wanted).lower()
