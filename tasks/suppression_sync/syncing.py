"""Every night: what the provider no longer mails, and we would. A lost webhook is healed by it.

What the provider has and we lack is added, but never what a person has set free here. Setting free leaves a trace in one of
three ways: we had heard of it (the event is stored), an earlier sync had added it, or the reader subscribed again (the
consent is stored). Only entries made since two days before the last finished sync are looked at; the first one looks at
all.
"""

import time
from collections.abc import Callable
from datetime import timedelta

import structlog
from django.db import DatabaseError, transaction
from django.db.models.functions import Now

from newsdesk.core.advisory_locks import AdvisoryLock, tried
from tasks import queue
from tasks.models import SuppressionSync
from tasks.providers.base import ListUnavailableError, SuppressionLists, Transport
from tasks.providers.registry import get_transport, provider_of
from tasks.suppression_sync.adding import OVERLAP_DAYS, ListResult, add_missing
from tasks.suppression_sync.summary import alarm_if_webhooks_get_lost, summary

log = structlog.get_logger(__name__)

#: A night's sync stops after this many seconds and goes on in another task: a task may run for 240.
NIGHTLY_SECONDS = 180.0
#: One that stopped longer ago than this is not gone on with.
RESUME_HOURS = 12


def sync_nightly() -> None:
    """What beat starts every night: never raises, and enqueues another task where a task's time is not enough."""
    transport = get_transport()
    if suppression_lists_of(transport) is None:
        return
    try:
        last = sync(transport, seconds=NIGHTLY_SECONDS)
    except DatabaseError:
        log.exception("suppression_sync_broken_off")
        return
    if last is not None and last.finished_at is None and not last.error:
        queue.enqueue_suppression_sync()


def suppression_lists_of(transport: Transport) -> SuppressionLists | None:
    """The lists of the transport's provider; None where it has none to compare with."""
    known = provider_of(transport.name)
    return known.suppression_lists if known else None


def sync(
    transport: Transport, *, seconds: float | None = None, wait: Callable[[float], None] = time.sleep
) -> SuppressionSync | None:
    """Compare now, or go on with a sync that stopped; None when another process is at it, or there are no lists.

    After `seconds` it stops: neither finished nor with an error. What the provider does not answer is the error; whatever was
    added stays, and the next sync looks at the same entries again.
    """
    source = suppression_lists_of(transport)
    if source is None:
        return None
    until = None if seconds is None else time.monotonic() + seconds
    with tried(AdvisoryLock.SUPPRESSION_SYNC) as is_ours:
        return _sync(transport, source, until, wait) if is_ours else None


def _sync(
    transport: Transport, source: SuppressionLists, until: float | None, wait: Callable[[float], None]
) -> SuppressionSync:
    current = _unfinished(transport.name) or SuppressionSync.objects.create(transport=transport.name)
    current.refresh_from_db()
    since = _since(current)
    try:
        for listed in source.lists:
            result = ListResult(**current.found.get(listed.name, {}))
            while not result.done:
                if until is not None and time.monotonic() > until:
                    return current
                entries = source.page(transport, listed.name, since=since, offset=result.theirs, wait=wait)
                with transaction.atomic():
                    add_missing(current, listed, entries, result, since)
                    result.done = len(entries) < source.page_size
                    current.found[listed.name] = vars(result)
                    current.save(update_fields=["found"])
    except ListUnavailableError as error:
        current.error = str(error)[:500]
        current.save(update_fields=["error"])
        log.warning("suppression_sync_broken_off", error=current.error)
        return current
    SuppressionSync.objects.filter(pk=current.pk).update(finished_at=Now())
    current.refresh_from_db()
    log.info("suppressions_synced", **summary(current)["lists"])
    alarm_if_webhooks_get_lost(current)
    return current


def _unfinished(transport: str) -> SuppressionSync | None:
    """The newest one, if it has stopped or its process was killed."""
    last = SuppressionSync.objects.filter(transport=transport, started_at__gt=Now() - timedelta(hours=RESUME_HOURS))
    newest = last.order_by("-pk").first()
    return newest if newest is not None and newest.finished_at is None and not newest.error else None


def _since(current: SuppressionSync) -> int | None:
    """Unix seconds from which entries count; None = all of them."""
    finished = SuppressionSync.objects.filter(transport=current.transport, finished_at__isnull=False, pk__lt=current.pk)
    last = finished.order_by("-pk").first()
    return None if last is None else int(last.started_at.timestamp()) - OVERLAP_DAYS * 86400
