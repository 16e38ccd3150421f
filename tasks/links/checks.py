"""Checking the links of an edition in the background, and what is known of them.

A good result is good for a day, a bad one for a quarter of an hour: whoever mends a page wants to see it. Nothing is
recorded while this machine is offline: the link stays unchecked.
"""

from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta

import structlog
from django.db.models import Q, QuerySet
from django.utils import timezone

from composer.checks import LinkReport
from composer.inspection import inspect, links_of
from composer.models import Edition
from tasks.http.guard import Guard
from tasks.links.fetcher import follow
from tasks.models import LinkCheck

log = structlog.get_logger(__name__)

#: How long a report stays fresh, and how long a check that began may take.
GOOD_FOR, BAD_FOR, ASKED_FOR = timedelta(days=1), timedelta(minutes=15), timedelta(minutes=1)
KEPT_FOR = timedelta(days=30)
#: Links at once, links of one edition, and seconds for all of them.
AT_ONCE, MOST_LINKS, MOST_SECONDS = 8, 300, 120
_GOOD = (LinkCheck.Outcome.ANSWERED, LinkCheck.Outcome.MOVED)


def known(urls: Collection[str]) -> dict[str, LinkReport]:
    """The reports that are still fresh, by address; addresses that must be checked (again) are missing."""
    rows = _fresh().exclude(outcome=LinkCheck.Outcome.ASKED).filter(key__in=[LinkCheck.key_of(url) for url in urls])
    return {
        row.url: LinkReport(
            outcome=row.outcome,  # type: ignore[arg-type]  # the model's choices are the report's
            status=row.status,
            target=row.target,
            error=row.error,
        )
        for row in rows
    }


def due(urls: Collection[str]) -> list[str]:
    """Those without a fresh report that nobody is checking now."""
    fresh = set(_fresh().filter(key__in=[LinkCheck.key_of(url) for url in urls]).values_list("url", flat=True))
    return [url for url in urls if url not in fresh]


def check_links(edition_id: int, *, guard: Guard = Guard()) -> int:  # noqa: B008 - frozen
    """Check the edition's links that are due, several at once; how many reports were recorded, 0 while offline."""
    edition = Edition.objects.select_related("publication").filter(pk=edition_id).first()
    inspection = inspect(edition) if edition else None
    if inspection is None or inspection.content is None:
        return 0
    urls = due(links_of(inspection.content, inspection.variants))[:MOST_LINKS]
    _record((url, None) for url in urls)
    reports = _fetched(urls, guard)
    LinkCheck.objects.filter(checked_at__lt=timezone.now() - KEPT_FOR).delete()
    if not _online(reports.values()):
        log.info("links_not_checked", edition=edition_id, links=len(urls), reason="nothing answers")
        return 0
    _record(reports.items())
    return len(reports)


def _fetched(urls: Collection[str], guard: Guard) -> dict[str, LinkReport]:
    executor = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="links")
    try:
        futures = {executor.submit(follow, url, guard): url for url in urls}
        done, _ = wait(futures, timeout=MOST_SECONDS)
        return {futures[one]: one.result() for one in done}
    finally:
        executor.shutdown(wait=False, cancel_futures=True)


def _online(reports: Iterable[LinkReport]) -> bool:
    """Whether silence means anything: some server has answered, now or a moment ago."""
    if any(report.status or report.outcome == "private" for report in reports):
        return True
    return LinkCheck.objects.filter(status__gt=0, checked_at__gt=timezone.now() - BAD_FOR).exists()


def _record(reports: Iterable[tuple[str, LinkReport | None]]) -> None:
    now = timezone.now()
    LinkCheck.objects.bulk_create(
        [
            LinkCheck(
                key=LinkCheck.key_of(url),
                url=url,
                outcome=report.outcome if report else LinkCheck.Outcome.ASKED,
                status=report.status if report else 0,
                target=report.target if report else "",
                error=report.error if report else "",
                checked_at=now,
            )
            for url, report in reports
        ],
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=["outcome", "status", "target", "error", "checked_at"],
    )


def _fresh() -> QuerySet[LinkCheck]:
    now = timezone.now()
    return LinkCheck.objects.filter(
        Q(outcome__in=_GOOD, checked_at__gt=now - GOOD_FOR)
        | Q(outcome=LinkCheck.Outcome.ASKED, checked_at__gt=now - ASKED_FOR)
        | (~Q(outcome__in=(*_GOOD, LinkCheck.Outcome.ASKED)) & Q(checked_at__gt=now - BAD_FOR))
    )
