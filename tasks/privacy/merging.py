"""Merging two records of one person: afterwards there is one reader, with all that was known of both.

One transaction. The other's id stays known (`MergedReader`): links in mails that are in their mailbox still work, and
what the provider reports about those still arrives.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from django.db import connection, transaction

from newsdesk.core.advisory_locks import AdvisoryLock, lock_for_transaction
from newsdesk.core.errors import InputError, RefusedError
from subscribers import profile
from subscribers.address_forms import domain_form
from subscribers.merging import MergedProfile, merge_profiles
from subscribers.models import Subscriber, Suppression
from tasks.privacy.erasing import BETWEEN_TRIES, PATIENCE
from tasks.privacy.merging_deliveries import MovedDeliveries, PostedNowError, lock_deliveries, move_deliveries

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Merged:
    """What was done, or would be. `suppressions`: reasons that stay with the address which is gone."""

    profile: MergedProfile
    deliveries: MovedDeliveries
    suppressions: list[str]


def merge(
    keep: Subscriber,
    other: Subscriber,
    *,
    who: str,
    dry_run: bool = False,
    patience: float = PATIENCE,
    wait: Callable[[float], None] = time.sleep,
) -> Merged:
    """Make one reader of the two, under `keep`'s address. With `dry_run` everything is done and taken back.

    Raises InputError where both are one record or one is gone, and RefusedError where one is being erased, or a request with
    one of them is being posted for longer than `patience` seconds; then nothing is changed.
    """
    if keep.pk == other.pk:
        raise InputError("OTHER: that is the same reader as KEEP")
    until = time.monotonic() + patience
    while True:
        try:
            merged = _merge(keep.pk, other.pk, who, dry_run=dry_run)
        except PostedNowError:
            if time.monotonic() >= until:
                raise RefusedError(
                    "a request with one of these readers is being posted; nothing was changed. Run merge-readers again in a minute"
                ) from None
            wait(BETWEEN_TRIES)
        else:
            if not dry_run:
                log.info("readers_merged", kept=keep.pk, gone=other.pk, moved=merged.deliveries.moved)
            return merged


@transaction.atomic
def _merge(keep_id: int, other_id: int, who: str, *, dry_run: bool) -> Merged:
    with connection.cursor() as cursor:
        # An import that is under way ends first.
        lock_for_transaction(cursor, AdvisoryLock.IMPORT)
    found = lock_deliveries(keep_id, other_id)
    locked = {
        row.pk: row for row in Subscriber.objects.filter(pk__in=[keep_id, other_id]).order_by("pk").select_for_update()
    }
    if len(locked) < 2:
        raise InputError("one of the two readers has just gone; nothing was changed")
    keep, other = locked[keep_id], locked[other_id]
    _refuse_erased(keep, other)
    reasons = [row.reason for row in profile.suppressions_of(other.email) if row.address != domain_form(other.email)]
    deliveries = move_deliveries(found, keep, other)
    merged = Merged(
        profile=merge_profiles(keep, other, who=who), deliveries=deliveries, suppressions=list(dict.fromkeys(reasons))
    )
    if dry_run:
        transaction.set_rollback(True)
    return merged


def _refuse_erased(*readers: Subscriber) -> None:
    for reader in readers:
        if any(row.reason == Suppression.Reason.ERASED for row in profile.suppressions_of(reader.email)):
            raise RefusedError(f"{reader.email} is to be erased; run erase-reader again instead")
