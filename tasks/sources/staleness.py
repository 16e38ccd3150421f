"""Two hours before an edition goes out, the sources of its stories are fetched again: gone, another headline, other figures.

A row for each edition and moment says that it was done, so that it is done once, and again for another moment. Whoever dies in the
middle is followed after LEASE. It only warns: whatever the sources do, no send waits for it.
"""

import dataclasses
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from composer.articles.article import Article, ArticleError
from composer.checks.source_changes import what_changed
from composer.claims.source_changes import SourceChange, changes
from composer.models import Edition
from composer.source_texts import SourcedStory, sourced_stories
from tasks.alarms.raising import clear_alarms, raise_alarm
from tasks.database import clock
from tasks.http.download import DownloadError
from tasks.http.guard import Guard
from tasks.http.hosts import Hosts
from tasks.models import Alarm, LinkCheck, Send, Slot, SourceCheck
from tasks.slots.active_recurrence import active_recurrence
from tasks.slots.approval_warnings import CLOCKS_APART, NOTICE, first_reader_at
from tasks.slots.strings import slot_time
from tasks.sources.addresses import fetched

log = structlog.get_logger(__name__)

#: Longer than any run: a task ends after 300 s.
LEASE = timedelta(minutes=6)
#: Sources at once, sources of one edition, seconds for one edition's, and after which a run begins no more.
AT_ONCE, MOST_SOURCES, MOST_SECONDS, NO_MORE_AFTER = 8, 100, 90, 50.0
#: A server that fails is asked so often, with so many seconds between.
TRIES, PAUSE = 3, 5.0
#: How long a link's answer tells that this machine is online.
_ONLINE_FOR = timedelta(minutes=15)
_GONE = {404, 410}
#: Characters of an alarm for its changes, beside the edition's name.
_MOST_SAID = 360


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """A source now."""

    article: Article | None = None
    #: Why there is none.
    reason: str = ""
    is_gone: bool = False
    #: Whether a server has answered.
    is_answered: bool = True


def known(edition: Edition) -> Mapping[str, Sequence[SourceChange]]:
    """What the latest look at the edition's sources found, by story block."""
    rows = SourceCheck.objects.filter(edition=edition.pk).exclude(finished_at=None, changes={})
    row = rows.order_by("-claimed_at").first()
    return {key: [SourceChange(**one) for one in found] for key, found in row.changes.items()} if row else {}


def check_due(*, now: datetime | None = None, guard: Guard = Guard()) -> int:  # noqa: B008 - frozen
    """Look at the sources of every edition whose time is near, once; how many editions. May be repeated freely."""
    now, ends, checked = now or clock.now(), time.monotonic() + NO_MORE_AFTER, 0
    for edition_id, moment in _near(now):
        if time.monotonic() > ends:
            break
        row_id = _claimed(edition_id, moment)
        if row_id is None:
            continue
        try:
            _check(row_id, guard)
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            log.exception("sources_not_checked", edition=edition_id)
        checked += 1
    return checked


def _near(now: datetime) -> Iterator[tuple[int, datetime]]:
    """Editions that go out within NOTICE, with the moment that names their slot or send; those that were done are left out."""
    done = set(SourceCheck.objects.filter(moment__gt=now).exclude(finished_at=None).values_list("edition_id", "moment"))
    yield from (pair for pair in dict.fromkeys((*_sends(now), *_slots(now))) if pair not in done)


def _sends(now: datetime) -> Iterator[tuple[int, datetime]]:
    near = Send.objects.filter(status=Send.Status.SCHEDULED, scheduled_at__gt=now, scheduled_at__lte=now + NOTICE)
    # The slot's own moment, so that an edition which was looked at as a draft is not looked at again once it is scheduled.
    yield from near.values_list("edition_id", Coalesce(F("slot__at"), F("scheduled_at"))).order_by("scheduled_at")


def _slots(now: datetime) -> Iterator[tuple[int, datetime]]:
    """Slots without a send so far."""
    decided = Slot.objects.filter(edition=OuterRef("pk"), at=OuterRef("slot")).exclude(outcome="")
    sent = Send.objects.filter(edition=OuterRef("pk")).exclude(status=Send.Status.CANCELLED)
    editions = Edition.objects.filter(~Exists(decided), ~Exists(sent), slot__gt=now)
    for edition in (
        editions.filter(slot__lte=now + NOTICE + CLOCKS_APART).select_related("publication").order_by("slot")
    ):
        assert edition.slot is not None
        if first_reader_at(edition, active_recurrence(edition.publication_id), now) - now <= NOTICE:
            yield edition.pk, edition.slot


def _claimed(edition_id: int, moment: datetime) -> int | None:
    """The row's id where nobody has done it or is about to."""
    row, _ = SourceCheck.objects.get_or_create(edition_id=edition_id, moment=moment)
    free = Q(claimed_at=None) | Q(claimed_at__lt=Now() - LEASE)
    is_ours = SourceCheck.objects.filter(free, pk=row.pk, finished_at=None).update(claimed_at=Now())
    return row.pk if is_ours else None


def _check(row_id: int, guard: Guard) -> None:
    edition = Edition.objects.select_related("publication").get(source_checks=row_id)
    stories = list(sourced_stories(edition))
    seen = _looked_at(list(dict.fromkeys(story.url for story in stories))[:MOST_SOURCES], guard)
    found = {story.key: _changes(story, seen[story.url]) for story in stories if story.url in seen}
    _record(row_id, edition, stories, found, is_done=not seen or _is_online(seen.values()))


def _looked_at(urls: Collection[str], guard: Guard) -> dict[str, _Seen]:
    hosts, executor = Hosts(), ThreadPoolExecutor(AT_ONCE, thread_name_prefix="staleness")
    try:
        futures = {executor.submit(_look, url, guard, hosts): url for url in urls}
        wait(futures, timeout=MOST_SECONDS)
        late = _Seen(reason="it took too long", is_answered=False)
        return {url: future.result() if future.done() else late for future, url in futures.items()}
    finally:
        executor.shutdown(wait=False, cancel_futures=True)


def _look(url: str, guard: Guard, hosts: Hosts) -> _Seen:
    """Raises nothing: whatever happens is an answer."""
    seen = _Seen(reason="nobody asked")
    for attempt in range(TRIES):
        if attempt:
            time.sleep(PAUSE)
        try:
            with hosts.slot(url):
                collection = fetched(url, guard)
        except DownloadError as error:
            reason = str(error).removeprefix(f"{url}: ")
            is_gone = error.status in _GONE or error.status >= 500 or error.is_certain
            seen = _Seen(reason=reason, is_gone=is_gone, is_answered=error.status > 0)
            if error.status and error.status < 500:
                break
        except (ArticleError, ValueError, RecursionError) as error:
            return _Seen(reason=str(error).removeprefix(f"{url}: ")[:200])
        else:
            if collection.form == "page":
                return _Seen(article=collection.articles[0])
            return _Seen(reason="it is a feed")
    return seen


def _is_online(seen: Collection[_Seen]) -> bool:
    """Whether silence means anything: some server has answered, now or a moment ago."""
    recently = timezone.now() - _ONLINE_FOR
    return (
        any(one.is_answered for one in seen) or LinkCheck.objects.filter(status__gt=0, checked_at__gt=recently).exists()
    )


def _changes(story: SourcedStory, seen: _Seen) -> list[SourceChange]:
    if seen.article is not None:
        return changes(
            story.claims, story.stored, seen.article, url=story.url, language=story.language, origin=story.origin
        )
    return [SourceChange(kind="gone" if seen.is_gone else "not_compared", url=story.url, now=seen.reason)]


@transaction.atomic
def _record(
    row_id: int,
    edition: Edition,
    stories: Sequence[SourcedStory],
    found: Mapping[str, Sequence[SourceChange]],
    *,
    is_done: bool,
) -> None:
    """Findings and alarm together, or neither. While nothing answers it is not done, and no alarm says that all is gone."""
    row = SourceCheck.objects.select_for_update(no_key=True, of=("self",)).get(pk=row_id)
    if row.finished_at is not None:
        return
    if not is_done:
        found = {key: [_not_compared(one) for one in changes] for key, changes in found.items()}
    row.changes = {key: [dataclasses.asdict(one) for one in changes] for key, changes in found.items() if changes}
    row.finished_at = clock.now() if is_done else None
    row.save(update_fields=["changes", "finished_at"])
    log.info("sources_checked", edition=edition.pk, sources=len(found), changed=len(row.changes), done=is_done)
    if is_done:
        _alarm(edition, row.moment, list(_said(stories, found)))


def _not_compared(change: SourceChange) -> SourceChange:
    return dataclasses.replace(change, kind="not_compared")


def _said(stories: Sequence[SourcedStory], found: Mapping[str, Sequence[SourceChange]]) -> Iterator[str]:
    for story in stories:
        for change in found.get(story.key, ()):
            if change.kind != "not_compared":
                yield f"story {story.number}, “{story.headline[:60]}”: {what_changed(change)}"


def _alarm(edition: Edition, moment: datetime, said: Sequence[str]) -> None:
    """One for the edition. What an earlier look said is cleared: this one has looked again."""
    clear_alarms(Alarm.Code.SOURCE_CHANGED, edition=edition)
    if not said:
        return
    shown: list[str] = []
    length = 0
    for one in said:
        length += len(one) + 2
        if shown and length > _MOST_SAID:
            break
        shown.append(one[:_MOST_SAID])
    more = f"; and {len(said) - len(shown)} more, named by the checks" if len(said) > len(shown) else ""
    text = f"{str(edition)[:60]}, {slot_time(edition, moment)}: {'; '.join(shown)}{more}."
    raise_alarm(
        Alarm.Code.SOURCE_CHANGED, text, publication_id=edition.publication_id, edition_id=edition.pk, mail=True
    )
