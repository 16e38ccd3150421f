"""A folder of a mailbox (IMAP, RFC 3501): its unread mails are fetched, and marked as read once they were taken.

Two short connections rather than one that waits for the database in between. What cannot be taken stays unread, for a person.
"""

import base64
import imaplib
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.parser import BytesHeaderParser
from email.policy import default
from typing import Any
from urllib.parse import unquote, urlsplit

import structlog
from django.conf import settings

from composer.models import Source
from composer.reading.mail import senders_of
from newsdesk.core.mailbox_account import MailboxAccount
from tasks.http.download import DownloadError
from tasks.sources import mails

log = structlog.get_logger(__name__)

#: Seconds for the server's next words, and for one whole connection.
ANSWER_SECONDS, MOST_SECONDS = 10.0, 60.0
#: Unread mails looked at in one poll, and of those fetched.
MOST_LISTED, MOST_FETCHED = 500, 50
#: Of all mails fetched in one poll; the rest comes with the next.
MOST_TOTAL = 2 * mails.MOST_BYTES
_UID = re.compile(rb"\bUID (\d+)")
_SIZE = re.compile(rb"RFC822\.SIZE (\d+)")
_NOT_ASCII = re.compile(r"[^\x20-\x7e]+")


@dataclass(frozen=True, kw_only=True)
class Unread:
    """What a folder had: whole mails by their UID, which means something within one UIDVALIDITY only."""

    validity: bytes = b""
    messages: dict[bytes, bytes] = field(default_factory=dict)
    #: Why others were left, a sentence each.
    refused: tuple[str, ...] = ()


def fetch(source: Source) -> Unread:
    """The unread mails from those who may send. Raises DownloadError with the reason."""
    with _opened(source, readonly=True) as (connection, validity):
        uids = _answer(connection.uid("SEARCH", "UNSEEN"))
        found = b" ".join(line for line in uids if isinstance(line, bytes)).split()[-MOST_LISTED:]
        messages: dict[bytes, bytes] = {}
        refused = []
        total = 0
        for uid, size, addresses in _listed(connection, found):
            if not mails.may_send(source, addresses):
                refused.append(mails.foreign(addresses))
            elif size > mails.MOST_BYTES:
                refused.append(f"a mail was refused: it has more than {mails.MOST_BYTES // 1024**2} MB")
            elif len(messages) < MOST_FETCHED and total + size <= MOST_TOTAL:
                total += size
                messages[uid] = _body(connection, uid)
    return Unread(validity=validity, messages=messages, refused=tuple(dict.fromkeys(refused)))


def mark_as_read(source: Source, validity: bytes, uids: Sequence[bytes]) -> None:
    """Raises DownloadError with the reason; nothing is lost then, for what was taken is known by its Message-ID."""
    if not uids:
        return
    with _opened(source, readonly=False) as (connection, now):
        if now == validity:
            _answer(connection.uid("STORE", b",".join(uids).decode(), "+FLAGS.SILENT", r"(\Seen)"))


@contextmanager
def _opened(source: Source, *, readonly: bool) -> Iterator[tuple[imaplib.IMAP4_SSL, bytes]]:
    """The selected folder with its UIDVALIDITY; whatever goes wrong is a DownloadError."""
    account = _account_of(source)
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
        _log_in(connection, account)
        _answer(connection.select(_quoted(_folder(source.url)), readonly=readonly))
        validity = connection.response("UIDVALIDITY")[1][0] or b""
        yield connection, validity
        connection.logout()
    except (OSError, imaplib.IMAP4.error, ValueError, LookupError, TypeError) as error:
        raise DownloadError(_why(error)) from error
    finally:
        ending.cancel()
        with suppress(OSError):
            connection.shutdown()


def _account_of(source: Source) -> MailboxAccount:
    for account in settings.MAILBOXES:
        if account.is_of(source.url):
            return account
    raise DownloadError("NEWSDESK_MAILBOXES has no such user and host, and so no password for it")


def _log_in(connection: imaplib.IMAP4_SSL, account: MailboxAccount) -> None:
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
        raise DownloadError("the server does not let us in: wrong user or password in NEWSDESK_MAILBOXES") from error


def _listed(connection: imaplib.IMAP4_SSL, uids: Sequence[bytes]) -> Iterator[tuple[bytes, int, tuple[str, ...]]]:
    """UID, size and senders of each, without fetching the mail."""
    if not uids:
        return
    parts = "(UID RFC822.SIZE BODY.PEEK[HEADER.FIELDS (FROM)])"
    lines = _answer(connection.uid("FETCH", b",".join(uids).decode(), parts))
    for index, line in enumerate(lines):
        if not isinstance(line, tuple):
            continue
        # What the server says of a mail may stand before its header or behind it.
        after = lines[index + 1] if index + 1 < len(lines) else b""
        said = line[0] + (after if isinstance(after, bytes) else b"")
        uid, size = _UID.search(said), _SIZE.search(said)
        if uid and size:
            addresses, _ = senders_of(BytesHeaderParser(policy=default).parsebytes(line[1]))
            yield uid[1], int(size[1]), addresses


def _body(connection: imaplib.IMAP4_SSL, uid: bytes) -> bytes:
    lines = _answer(connection.uid("FETCH", uid.decode(), "(BODY.PEEK[])"))
    return next((bytes(line[1]) for line in lines if isinstance(line, tuple)), b"")


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


def _folder(url: str) -> str:
    return unquote(urlsplit(url).path.strip("/")) or "INBOX"


def _quoted(folder: str) -> str:
    """In quotes and in IMAP's own UTF-7 (RFC 3501, 5.1.3)."""

    def encoded(match: re.Match[str]) -> str:
        base = base64.b64encode(match[0].encode("utf-16-be")).decode().rstrip("=")
        return f"&{base.replace('/', ',')}-"

    written = _NOT_ASCII.sub(encoded, folder.replace("&", "&-"))
    return '"' + written.replace("\\", "\\\\").replace('"', '\\"') + '"'
