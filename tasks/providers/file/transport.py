"""A Maildir: one file for each message, for a look at what would go out, or for another program that takes it from there.

A delivery's file has always the same name, so that a message written again replaces itself: there are never two.
"""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from tasks.messages import Message, Recipient
from tasks.mime.messages import MimeMessage, MimeRequest, encode_messages
from tasks.providers.base import Accepted, Outcome, Partial, Reason, Refused

_FOLDERS = ("tmp", "new", "cur")


class FileTransport:
    """Writes into tmp and renames to new (maildir(5)); a folder that a mail program has read keeps its files in cur."""

    reports = False

    def __init__(self, folder: Path) -> None:
        self.name = f"file:{hashlib.sha256(str(folder).encode()).hexdigest()[:16]}"
        self._folder = folder

    def encode(self, message: Message, recipients: Sequence[Recipient], *, attempt: UUID) -> MimeRequest:
        return encode_messages(message, recipients, attempt=attempt)

    def post(self, body: MimeRequest) -> Outcome:
        refused = {message.position: message.problem for message in body.messages if message.problem}
        written: set[int] = set()
        settled, words = True, ""
        try:
            present = self._present()
            for message in body.messages:
                if not message.problem:
                    self._write(body, message, present)
                    written.add(message.position)
        except OSError as error:
            words = f"{self._folder}: {error.strerror or error}"
        try:
            self._settle()
        except OSError as error:
            # The files are there, but a machine that goes down now may lose their names.
            settled, words = not written, f"{self._folder}: {error.strerror or error}"
        not_tried = frozenset(range(len(body.messages))) - written - refused.keys()
        if settled and not refused and not not_tried:
            return Accepted(http_status=None, provider_id="")
        if not refused and not written:
            return Refused(reason=Reason.NOT_SENT, message=words)
        return Partial(
            accepted=frozenset(written) if settled else frozenset(),
            refused=refused,
            put_off={},
            not_tried=not_tried,
            unknown=frozenset() if settled else frozenset(written),
            reason=Reason.NOT_SENT if words else None,
            message=words or next(iter(refused.values())),
        )

    def _present(self) -> frozenset[str]:
        """Names of what a mail program has taken into cur, without the flags it has added."""
        for name in _FOLDERS:
            (self._folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        return frozenset(entry.name.partition(":")[0] for entry in os.scandir(self._folder / "cur"))

    def _write(self, body: MimeRequest, message: MimeMessage, present: frozenset[str]) -> None:
        name = f"{message.delivery or body.attempt}.{body.template.fingerprint}"
        if name in present:
            return
        draft = self._folder / "tmp" / f"{name}.{os.getpid()}"
        with draft.open("wb") as file:
            file.write(body.join(message))
            file.flush()
            os.fsync(file.fileno())
        draft.rename(self._folder / "new" / name)

    def _settle(self) -> None:
        """The names are on disk, not the bytes alone."""
        descriptor = os.open(self._folder / "new", os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
