"""Deliveries that are kept no longer: the ledger of each send is folded into a file first, then their partition is dropped as a whole.

Nothing is dropped but what an archive holds as it is at that moment: a file is on the disk with its hash, and the rows are still those
that it was made of. Broken off anywhere, the next night does the rest.
"""

import hashlib
from collections.abc import Iterator

import structlog
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models.functions import Now
from psycopg import errors

from composer.models import Publication
from newsdesk.core import advisory_locks
from tasks.database import partitions
from tasks.database.partitions import Partition
from tasks.models import ArchivedSend, Send
from tasks.sends import archives, recipient_report
from tasks.sends.audit_trail import record_action
from tasks.sends.counts import counts

log = structlog.get_logger(__name__)

#: Whatever an archive is made of, but for events: they set bits of deliveries, all but those that are told twice.
_STATE = """
SELECT concat_ws(' ',
    (SELECT concat_ws(' ', count(*), sum(hashint8extended(subscriber_id, seen)), sum(hashint8extended(batch_id, subscriber_id)))
       FROM tasks_delivery WHERE send_id = %(send)s),
    (SELECT concat_ws(' ', count(*), sum(hashtextextended(concat_ws(' ', subscriber_id, kind, reason, attempt), 0)))
       FROM tasks_exclusion WHERE send_id = %(send)s),
    (SELECT concat_ws(' ', count(*), sum(hashtextextended(concat_ws(' ', id, status, attempt), 0))) FROM tasks_batch WHERE send_id = %(send)s))
"""


def expire(days: int) -> Iterator[int]:
    """Archive and drop the deliveries of sends that were over so many days ago, step by step; how many sends were dropped with each.

    Rules that look further back keep them for longer. Raises the database's errors, and OSError where a file cannot be written.
    """
    for partition in partitions.over(max(days, _looked_back())):
        sends = list(_sends_of(partition))
        for send in sends:
            if not _is_archived(send):
                _archive(send)
                yield 0
        yield _drop(partition, sends)


def _sends_of(partition: Partition) -> Iterator[Send]:
    """Its sends that have anything to archive."""
    yield from Send.objects.filter(pk__gte=partition.low, pk__lt=partition.high, prepared_at__isnull=False).order_by(
        "pk"
    )


def _looked_back() -> int:
    """Days that a frequency cap, a sunset rule or the counting of soft bounces may look back at deliveries."""
    rules = Publication.objects.values_list("frequency_days", "sunset_weeks")
    of_rules = (max(days or 0, 7 * (weeks or 0)) for days, weeks in rules)
    return max(7 * int(settings.SOFT_BOUNCE_WEEKS), *of_rules, 0)


def _file(send: Send) -> str:
    return f"send-{send.pk}.csv.gz"


def _archive(send: Send) -> None:
    name = _file(send)
    with recipient_report.snapshot(), archives.written(name) as file:
        recipient_report.write_without_addresses(send.pk, file.write)
        sums, state = recipient_report.summary(send.pk), _state(send)
    sha256 = archives.digest(settings.HOME.ledgers / name)
    facts = {"file": name, "sha256": sha256, "sums": sums, "state": state, "archived_at": Now()}
    ArchivedSend.objects.update_or_create(send=send, defaults=facts)
    log.info("send_archived", send=send.pk, rows=sums["rows"])


def _is_archived(send: Send) -> bool:
    """Its archive is on the disk, and of the rows that are there now."""
    archive = ArchivedSend.objects.filter(pk=send.pk).first()
    return (
        archive is not None
        and archive.state == _state(send)
        and archives.digest(archives.path_of(archive)) == archive.sha256
    )


def _state(send: Send) -> str:
    with connection.cursor() as cursor:
        cursor.execute(_STATE, {"send": send.pk})
        return hashlib.sha256(cursor.fetchone()[0].encode()).hexdigest()


def _drop(partition: Partition, sends: list[Send]) -> int:
    """Drop it while nobody changes it, unless something has changed since; how many sends it held."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            partitions.hold(cursor, partition)
            if _is_needed(cursor, sends) or not all(map(_is_archived, sends)):
                log.info("partition_stays", partition=partition.name)
                return 0
            for send in sends:
                _close(send)
            partitions.drop(cursor, partition)
    except OperationalError as error:
        if not isinstance(error.__cause__, (errors.LockNotAvailable, errors.DeadlockDetected)):
            raise
        log.info("partition_is_read", partition=partition.name)
        return 0
    log.info("deliveries_dropped", partition=partition.name, sends=len(sends))
    return len(sends)


def _is_needed(cursor: CursorWrapper, sends: list[Send]) -> bool:
    """Another send of one of their editions has to know who got it. None is prepared until the transaction ends."""
    editions = sorted({send.edition_id for send in sends})
    for edition_id in editions:
        advisory_locks.lock_edition_for_transaction(cursor, edition_id)
    over = (Send.Status.SENT, Send.Status.CANCELLED)
    return Send.objects.filter(edition_id__in=editions).exclude(status__in=over).exists()


def _close(send: Send) -> None:
    """Its numbers no longer come from exclusions: those since preparation are added to those of preparation."""
    counted = counts(send)
    cancelled_batches = _members_of_cancelled(send)
    excluded = dict(counted.excluded)
    if cancelled_batches:
        # Those are still counted from their batches.
        excluded["cancelled"] -= cancelled_batches
    Send.objects.filter(pk=send.pk).update(excluded={reason: n for reason, n in excluded.items() if n})
    ArchivedSend.objects.filter(pk=send.pk).update(dropped_at=Now())
    record_action(send.pk, "archived", why=f"Its deliveries are in {_file(send)} from now on.")


def _members_of_cancelled(send: Send) -> int:
    return sum(batch.size - batch.excluded - batch.failed for batch in send.batches.filter(status="cancelled"))
