"""What a process learns of its request, kept where its death does not reach.

Between the fence and the outcome only the process knows which messages the server took. A byte for each of them is written
into a shared memory map: it costs no system call, and the kernel keeps it when the process is killed. A machine that goes
down may lose it, so a journal is believed only when its writer is provably dead on this same boot (`newsdesk.core.process_identity`);
otherwise nobody knows, and every message of the request is in doubt.
"""

import json
import mmap
import re
import time
from collections.abc import Sequence
from enum import IntEnum
from pathlib import Path
from uuid import UUID

import structlog

from newsdesk.core import process_identity
from tasks.providers.base import Accepted, Outcome, Partial, Reason, Refused, Unknown

log = structlog.get_logger(__name__)

#: Seconds after which a journal nobody asked for is removed.
KEPT = 30 * 86_400


class Fate(IntEnum):
    """What is known of one message. Not sent covers what was refused: its words are gone, but it can be tried again."""

    NOT_SENT = 0
    IN_DOUBT = 1
    ACCEPTED = 2


class Record:
    """The fates of one request's messages by position; every assignment is kept."""

    def __init__(self, size: int, cells: "mmap.mmap | None" = None, start: int = 0) -> None:
        self._cells: mmap.mmap | bytearray = cells if cells is not None else bytearray(size)
        self._start = start

    def __setitem__(self, position: int, fate: Fate) -> None:
        self._cells[self._start + position] = fate


class Journal:
    """A folder with a file for each request in flight."""

    def __init__(self, folder: Path | None) -> None:
        """`folder`: None keeps nothing beyond the process."""
        self._folder = folder

    def open(self, attempt: UUID, deliveries: Sequence[str]) -> Record:
        """Begin a request's record. Without a disk to write to it is kept in memory alone: nothing is less certain."""
        if self._folder is None:
            return Record(len(deliveries))
        head = (
            json.dumps({"process": process_identity.current_process(), "deliveries": list(deliveries)}).encode() + b"\n"
        )
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with (self._folder / str(attempt)).open("w+b") as file:
                file.write(head + bytes(len(deliveries)))
                file.flush()
                cells = mmap.mmap(file.fileno(), 0)
        except (OSError, ValueError) as error:
            log.warning("journal_not_kept", attempt=str(attempt), error=str(error))
            return Record(len(deliveries))
        return Record(len(deliveries), cells, len(head))

    def read(self, attempt: UUID) -> tuple[tuple[str, ...], tuple[Fate, ...]] | None:
        """Deliveries and fates of a request whose process is surely dead; None when that cannot be told."""
        if self._folder is None:
            return None
        try:
            head, _, cells = (self._folder / str(attempt)).read_bytes().partition(b"\n")
            head_fields = json.loads(head)
            deliveries = tuple(str(delivery) for delivery in head_fields["deliveries"])
            if not process_identity.is_dead(head_fields["process"]) or len(cells) != len(deliveries):
                return None
            return deliveries, tuple(Fate(cell) for cell in cells)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def forget(self, attempt: UUID) -> None:
        """Remove a record."""
        if self._folder is None:
            return
        try:
            (self._folder / str(attempt)).unlink(missing_ok=True)
        except OSError as error:
            log.warning("journal_not_removed", attempt=str(attempt), error=str(error))

    def tidy(self) -> None:
        """Remove records nobody came back for."""
        if self._folder is None or not self._folder.is_dir():
            return
        for path in self._folder.iterdir():
            if re.fullmatch(r"[0-9a-f-]{36}", path.name) and time.time() - path.stat().st_mtime > KEPT:
                path.unlink(missing_ok=True)


def outcome_of(fates: tuple[Fate, ...]) -> Outcome:
    """What a journal says, as an outcome."""
    groups = {fate: frozenset(at for at, one in enumerate(fates) if one is fate) for fate in Fate}
    words = "The worker died while it was sending."
    if len(groups[Fate.ACCEPTED]) == len(fates):
        return Accepted(http_status=None, provider_id="")
    if len(groups[Fate.IN_DOUBT]) == len(fates):
        return Unknown(message=words)
    if len(groups[Fate.NOT_SENT]) == len(fates):
        return Refused(reason=Reason.NOT_SENT, message=words)
    return Partial(
        accepted=groups[Fate.ACCEPTED],
        refused={},
        put_off={},
        not_tried=groups[Fate.NOT_SENT],
        unknown=groups[Fate.IN_DOUBT],
        reason=Reason.NOT_SENT,
        message=words,
        retry_after=0.0,
    )
