"""Opening a folder of a mailbox over TLS; whatever goes wrong is told in one sentence.

Short connections: none waits for the database in between.
"""

import base64
import imaplib
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from newsdesk.core.mailbox_account import MailboxAccount
from tasks.http.download import DownloadError

#: Seconds for the server's next words, and for one whole connection.
ANSWER_SECONDS, MOST_SECONDS = 10.0, 60.0
_UID = re.compile(rb"\bUID (\d+)")
_SIZE = re.compile(rb"RFC822\.SIZE (\d+)")
_NOT_ASCII = re.compile(r"[^\x20-\x7e]+")


class Listed(NamedTuple):
    """A mail as the server lists it."""

    uid: bytes
    #: Bytes.
    size: int
    #: The header fields that were asked for.
    head: bytes


class Folder:
    """A selected folder. UIDs mean something within one `validity` only (RFC 3501 §2.3.1.1)."""

    def __init__(self, connection: imaplib.IMAP4_SSL, validity: bytes) -> None:
        self._connection = connection
        self.validity = validity

    def unread(self, most: int) -> list[bytes]:
        """The UIDs of the newest unread mails, the oldest of them first."""
        return self._found("UNSEEN")[-most:]

    def unread_with(self, field: str, words: str, most: int) -> list[bytes]:
        """The same of those with these words in a header field; none where the server does not search in headers (RFC 3501 §6.4.4)."""
        try:
            return self._found("UNSEEN", "HEADER", field, _quoted(words))[-most:]
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error:
            return []

    def _found(self, *wanted: str) -> list[bytes]:
        uids = _answer(self._connection.uid("SEARCH", *wanted))
        return b" ".join(line for line in uids if isinstance(line, bytes)).split()

    def listed(self, uids: Sequence[bytes], field: str) -> Iterator[Listed]:
        """UID, size and one header field of each, without fetching the mail."""
        if not uids:
            return
        parts = f"(UID RFC822.SIZE BODY.PEEK[HEADER.FIELDS ({field})])"
        lines = _answer(self._connection.uid("FETCH", b",".join(uids).decode(), parts))
        for index, line in enumerate(lines):
            if not isinstance(line, tuple):
                continue
            # What the server says of a mail may stand before its header or behind it.
            after = lines[index + 1] if index + 1 < len(lines) else b""
            said = line[0] + (after if isinstance(after, bytes) else b"")
            uid, size = _UID.search(said), _SIZE.search(said)
            if uid and size:
                yield Listed(uid[1], int(size[1]), line[1])

    def body(self, uid: bytes, most: int | None = None) -> bytes:
        """The mail, or its first `most` bytes; it stays unread."""
        part = "(BODY.PEEK[])" if most is None else f"(BODY.PEEK[]<0.{most}>)"
        lines = _answer(self._connection.uid("FETCH", uid.decode(), part))
        return next((bytes(line[1]) for line in lines if isinstance(line, tuple)), b"")

    def mark_as_read(self, uids: Sequence[bytes]) -> None:
        _answer(self._connection.uid("STORE", b",".join(uids).decode(), "+FLAGS.SILENT", r"(\Seen)"))


@contextmanager
def opened(account: MailboxAccount, folder: str, *, setting: str, readonly: bool) -> Iterator[Folder]:
    """The selected folder; whatever goes wrong is a DownloadError. `setting`: which variable the password stands in."""
    try:
        connection = imaplib.IMAP4_SSL(
            account.host, account.port, ssl_context=ssl.create_default_context(), timeout=ANSWER_SECONDS
        )
    except (OSError, imaplib.IMAP4.error, ValueError) as error:
        raise DownloadError(_why(error)) from error
    # A server that says one letter every nine seconds never times out.
    ending = threading.Timer(MOST_SECONDS, _hang_up(connection))
    ending.daemon = True
    ending.start()
    try:
        _log_in(connection, account, setting)
        _answer(connection.select(_quoted(folder), readonly=readonly))
        yield Folder(connection, connection.response("UIDVALIDITY")[1][0] or b"")
        connection.logout()
    except (OSError, imaplib.IMAP4.error, ValueError, LookupError, TypeError) as error:
        raise DownloadError(_why(error)) from error
    finally:
        ending.cancel()
        with suppress(OSError):
            connection.shutdown()


def _log_in(connection: imaplib.IMAP4_SSL, account: MailboxAccount, setting: str) -> None:
    try:
        # The library sends ASCII only; AUTHENTICATE PLAIN carries any password (RFC 4616).
        if "AUTH=PLAIN" in connection.capabilities:
            secret = f"\0{account.username}\0{account.password}".encode()
            connection.authenticate("PLAIN", lambda _: secret)
        else:
            connection.login(account.username, account.password)
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error as error:
        raise DownloadError(f"the server does not let us in: wrong user or password in {setting}") from error


def _answer(answer: tuple[str, list[Any]]) -> list[Any]:
    status, lines = answer
    if status != "OK":
        said = b" ".join(line for line in lines if isinstance(line, bytes)).decode("utf-8", "replace")
        raise imaplib.IMAP4.error(said)
    return lines


def _hang_up(connection: imaplib.IMAP4_SSL) -> Callable[[], None]:
    def hang_up() -> None:
        with suppress(OSError):
            connection.sock.shutdown(socket.SHUT_RDWR)

    return hang_up


def _why(error: Exception) -> str:
    text = f"{type(error).__name__} {error}"
    if isinstance(error, DownloadError):
        return str(error)
    if isinstance(error, TimeoutError) or "timed out" in text.lower():
        return "the mailbox's server does not answer in time"
    if "CERTIFICATE" in text.upper():
        return "its certificate is not valid"
    if isinstance(error, OSError | imaplib.IMAP4.abort):
        return "the mailbox's server does not answer"
    return f"the mailbox's server says: {str(error)[:200]}"


def _quoted(folder: str) -> str:
    """In quotes and in IMAP's own UTF-7 (RFC 3501, 5.1.3)."""

    def encoded(match: re.Match[str]) -> str:
        base = base64.b64encode(match[0].encode("utf-16-be")).decode().rstrip("=")
        return f"&{base.replace('/', ',')}-"

    written = _NOT_ASCII.sub(encoded, folder.replace("&", "&-"))
    return '"' + written.replace("\\", "\\\\").replace('"', '\\"') + '"'
