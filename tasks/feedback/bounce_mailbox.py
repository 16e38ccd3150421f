"""The mailbox that undeliverable mail comes back to, polled: delivery reports are taken in and marked as read.

All of them, also those that name no mail of ours: whoever sends hundreds of such could keep the others waiting otherwise. Every
other mail stays as it is, for whoever reads that mailbox. Nothing is deleted.
"""

import time
from itertools import accumulate

import structlog
from django.conf import settings
from django.core.cache import cache

from newsdesk.core.mailbox_account import MailboxFolder
from tasks.alarms.raising import clear_alarms, raise_alarm
from tasks.feedback import delivery_reports
from tasks.feedback.delivery_reports import TakenIn
from tasks.http.download import DownloadError
from tasks.imap import folders
from tasks.models import Alarm
from tasks.providers.smtp import delivery_status

log = structlog.get_logger(__name__)

SETTING = "NEWSDESK_BOUNCE_MAILBOX"
#: Unread mails looked at in one go, and reports among them that are fetched; and the bytes of all of these.
MOST_LISTED, MOST_FETCHED = 500, 200
MOST_TOTAL = 16 * 1024**2
#: Seconds after which a poll begins no further go: the rest is for the next one.
MOST_SECONDS = 45.0
#: Seconds.
PATIENCE = 3600.0
#: In the cache of all processes: Unix seconds.
_FAILING_SINCE = "bounce-mailbox-failing-since"


def poll() -> TakenIn | None:
    """Take in the reports that are there, as far as time allows; None where no mailbox is set, or it could not be read: the next
    poll tries again.

    What was taken in but could not be marked as read is taken in again, and changes nothing. Raises the database's errors.
    """
    mailbox: MailboxFolder | None = settings.BOUNCE_MAILBOX
    if mailbox is None:
        return None
    try:
        taken = _take_all(mailbox)
    except DownloadError as error:
        log.warning("bounce_mailbox_not_read", setting=SETTING, reason=str(error))
        _tell(str(error))
        return None
    cache.delete(_FAILING_SINCE)
    clear_alarms(Alarm.Code.BOUNCES_UNREAD)
    return taken


def _take_all(mailbox: MailboxFolder) -> TakenIn:
    until, taken, marked = time.monotonic() + MOST_SECONDS, TakenIn(), set[bytes]()
    while True:
        validity, found = _fetch(mailbox)
        if not found:
            return taken
        if marked.intersection(found):
            raise DownloadError("reports that were marked as read are unread still")
        # Kept before they are marked: a report must not be lost with a process.
        taken += delivery_reports.take_in(found.values())
        _mark_as_read(mailbox, validity, list(found))
        marked.update(found)
        if time.monotonic() > until:
            return taken


def _tell(why: str) -> None:
    """Once it has gone on for PATIENCE seconds: a server that is restarted is nobody's concern."""
    since = cache.get_or_set(_FAILING_SINCE, time.time, timeout=86_400)
    if (
        since is None
        or time.time() - since < PATIENCE
        or Alarm.objects.filter(code=Alarm.Code.BOUNCES_UNREAD, cleared_at=None).exists()
    ):
        return
    raise_alarm(Alarm.Code.BOUNCES_UNREAD, f"{SETTING} cannot be read for more than an hour: {why}.", mail=True)


def _fetch(mailbox: MailboxFolder) -> tuple[bytes, dict[bytes, bytes]]:
    """The folder's validity, and the beginnings of the unread reports by UID."""
    try:
        return _fetch_reports(mailbox, by_header=True)
    except DownloadError as error:
        # To search in headers may take the server longer than there is time.
        log.info("bounce_mailbox_not_searched", reason=str(error))
        return _fetch_reports(mailbox, by_header=False)


def _fetch_reports(mailbox: MailboxFolder, *, by_header: bool) -> tuple[bytes, dict[bytes, bytes]]:
    with folders.opened(mailbox.account, mailbox.folder, setting=SETTING, readonly=True) as folder:
        # Answers to an edition come by the thousand: the newest unread mails may hold no report, and bury older ones for good.
        uids = folder.unread_with("Content-Type", "delivery-status", MOST_LISTED) if by_header else []
        reports = _reports(folder, uids)
        reports = reports or _reports(folder, folder.unread(MOST_LISTED))
        totals = accumulate(reports.values())
        wanted = [uid for uid, total in zip(reports, totals, strict=True) if total <= MOST_TOTAL][:MOST_FETCHED]
        return folder.validity, {uid: folder.body(uid, delivery_status.MOST_BYTES) for uid in wanted}


def _reports(folder: folders.Folder, uids: list[bytes]) -> dict[bytes, int]:
    """The bytes to fetch of each of these that is a report."""
    return {
        one.uid: min(one.size, delivery_status.MOST_BYTES)
        for one in folder.listed(uids, "CONTENT-TYPE")
        if delivery_status.is_report(delivery_status.content_type(one.head))
    }


def _mark_as_read(mailbox: MailboxFolder, validity: bytes, uids: list[bytes]) -> None:
    with folders.opened(mailbox.account, mailbox.folder, setting=SETTING, readonly=False) as folder:
        if folder.validity == validity:
            folder.mark_as_read(uids)
