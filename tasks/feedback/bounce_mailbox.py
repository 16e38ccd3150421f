"""The mailbox that undeliverable mail comes back to, polled: delivery reports are taken in and marked as read.

All of them, also those that name no mail of ours: whoever sends hundreds of such could keep the others waiting otherwise. Every
other mail stays as it is, for whoever reads that mailbox. Nothing is deleted.
"""

import structlog
from django.conf import settings

from newsdesk.core.mailbox_account import MailboxFolder
from tasks.feedback import delivery_reports
from tasks.feedback.delivery_reports import TakenIn
from tasks.http.download import DownloadError
from tasks.imap import folders
from tasks.providers.smtp import delivery_status

log = structlog.get_logger(__name__)

SETTING = "NEWSDESK_BOUNCE_MAILBOX"
#: Unread mails looked at in one poll, and reports among them that are fetched: some tens of megabytes at the most.
MOST_LISTED, MOST_FETCHED = 500, 200


def poll() -> TakenIn | None:
    """Take in the reports that are there; None where no mailbox is set, or it could not be read: the next poll tries again.

    What was taken in but could not be marked as read is taken in again, and changes nothing. Raises the database's errors.
    """
    mailbox: MailboxFolder | None = settings.BOUNCE_MAILBOX
    if mailbox is None:
        return None
    try:
        validity, found = _fetch(mailbox)
        # Kept before they are marked: a report must not be lost with a process.
        taken = delivery_reports.take_in(found.values()) if found else TakenIn()
        _mark_as_read(mailbox, validity, list(found))
    except DownloadError as error:
        log.warning("bounce_mailbox_not_read", setting=SETTING, reason=str(error))
        return None
    return taken


def _fetch(mailbox: MailboxFolder) -> tuple[bytes, dict[bytes, bytes]]:
    """The folder's validity, and the beginnings of the unread reports by UID."""
    with folders.opened(mailbox.account, mailbox.folder, setting=SETTING, readonly=True) as folder:
        listed = folder.listed(folder.unread(MOST_LISTED), "CONTENT-TYPE")
        uids = [one.uid for one in listed if delivery_status.is_report(delivery_status.content_type(one.head))]
        return folder.validity, {uid: folder.body(uid, delivery_status.MOST_BYTES) for uid in uids[:MOST_FETCHED]}


def _mark_as_read(mailbox: MailboxFolder, validity: bytes, uids: list[bytes]) -> None:
    if not uids:
        return
    with folders.opened(mailbox.account, mailbox.folder, setting=SETTING, readonly=False) as folder:
        if folder.validity == validity:
            folder.mark_as_read(uids)
