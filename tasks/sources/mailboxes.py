"""A folder of a mailbox as a source: its unread mails are fetched, and marked as read once they were taken.

Two short connections rather than one that waits for the database in between. What cannot be taken stays unread, for a person.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.parser import BytesHeaderParser
from email.policy import default
from urllib.parse import unquote, urlsplit

import structlog
from django.conf import settings

from composer.models import Source
from composer.reading.mail import senders_of
from newsdesk.core.mailbox_account import MailboxAccount
from tasks.http.download import DownloadError
from tasks.imap import folders
from tasks.imap.folders import Folder
from tasks.sources import mails

log = structlog.get_logger(__name__)

#: Unread mails looked at in one poll, and of those fetched.
MOST_LISTED, MOST_FETCHED = 500, 50
#: Of all mails fetched in one poll; the rest comes with the next.
MOST_TOTAL = 2 * mails.MOST_BYTES


@dataclass(frozen=True, kw_only=True)
class Unread:
    """What a folder had: whole mails by their UID, which means something within one UIDVALIDITY only."""

    validity: bytes = b""
    messages: dict[bytes, bytes] = field(default_factory=dict)
    #: Why others were left, a sentence each.
    refused: tuple[str, ...] = ()


def fetch(source: Source) -> Unread:
    """The unread mails from those who may send. Raises DownloadError with the reason."""
    with _opened(source, readonly=True) as folder:
        messages: dict[bytes, bytes] = {}
        refused = []
        total = 0
        for uid, size, addresses in _listed(folder):
            if not mails.may_send(source, addresses):
                refused.append(mails.foreign(addresses))
            elif size > mails.MOST_BYTES:
                refused.append(f"a mail was refused: it has more than {mails.MOST_BYTES // 1024**2} MB")
            elif len(messages) < MOST_FETCHED and total + size <= MOST_TOTAL:
                total += size
                messages[uid] = folder.body(uid)
    return Unread(validity=folder.validity, messages=messages, refused=tuple(dict.fromkeys(refused)))


def mark_as_read(source: Source, validity: bytes, uids: Sequence[bytes]) -> None:
    """Raises DownloadError with the reason; nothing is lost then, for what was taken is known by its Message-ID."""
    if not uids:
        return
    with _opened(source, readonly=False) as folder:
        if folder.validity == validity:
            folder.mark_as_read(uids)


@contextmanager
def _opened(source: Source, *, readonly: bool) -> Iterator[Folder]:
    account = _account_of(source)
    with folders.opened(account, _folder(source.url), setting="NEWSDESK_MAILBOXES", readonly=readonly) as folder:
        yield folder


def _account_of(source: Source) -> MailboxAccount:
    for account in settings.MAILBOXES:
        if account.is_of(source.url):
            return account
    raise DownloadError("NEWSDESK_MAILBOXES has no such user and host, and so no password for it")


def _listed(folder: Folder) -> Iterator[tuple[bytes, int, tuple[str, ...]]]:
    """UID, size and senders of each unread mail, without fetching it."""
    for uid, size, head in folder.listed(folder.unread(MOST_LISTED), "FROM"):
        addresses, _ = senders_of(BytesHeaderParser(policy=default).parsebytes(head))
        yield uid, size, addresses


def _folder(url: str) -> str:
    return unquote(urlsplit(url).path.strip("/")) or "INBOX"
