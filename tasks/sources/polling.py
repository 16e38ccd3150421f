"""Feeds and mailboxes polled in their turn: asked politely, each entry taken in once, and what failed shown.

A source is claimed by moving its next poll into the future, so that several workers share the work and a worker that dies
costs one interval. Whatever a feed does, its stories are suggestions: nothing here reaches a reader.
"""

import email.utils
import hashlib
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from django.db import DatabaseError, transaction
from django.utils import timezone

from composer.articles.article import Article, ArticleError, Collection
from composer.articles.feed import Entry, Feed, read_feed
from composer.intake import take_in
from composer.models import Source, SourceEntry, Story
from composer.reading.mail import parse_mail
from tasks.http.download import Download, DownloadError, download
from tasks.http.guard import Guard
from tasks.http.hosts import Hosts
from tasks.sources import mailboxes, mails
from tasks.sources.addresses import MOST_BYTES
from tasks.sources.filters import is_wanted
from tasks.sources.mailboxes import Unread
from tasks.sources.pictures import give_pictures

log = structlog.get_logger(__name__)

INTERVAL, LONGEST_INTERVAL = timedelta(minutes=30), timedelta(days=1)
#: Sources claimed together, and downloads at once.
CHUNK, AT_ONCE = 100, 16
#: Seconds after which a run claims no more.
MOST_SECONDS = 50.0
#: The first poll of a feed takes in what is young, and at most so many; the rest counts as seen.
FIRST_DAYS, FIRST_MOST = 14, 20
#: Pictures fetched for one source in one poll.
MOST_PICTURES = 20
#: What asking a source gave.
Found = Download | Unread | DownloadError
_GONE = 410
_HEADERS = {"Accept": "application/rss+xml,application/atom+xml,application/feed+json,application/xml;q=0.9,*/*;q=0.5"}


@dataclass(frozen=True, kw_only=True)
class Polled:
    """What one run did."""

    sources: int = 0
    stories: int = 0
    failed: int = 0

    def __add__(self, other: "Polled") -> "Polled":
        return Polled(
            sources=self.sources + other.sources,
            stories=self.stories + other.stories,
            failed=self.failed + other.failed,
        )


def poll_due(guard: Guard = Guard()) -> Polled:  # noqa: B008 - frozen
    """Poll every source whose turn has come, in chunks, until none is left or time is up."""
    total, ends = Polled(), time.monotonic() + MOST_SECONDS
    while time.monotonic() < ends:
        claimed = _claimed(timezone.now())
        if not claimed:
            break
        total += poll(claimed, guard)
    return total


def poll(sources: Sequence[Source], guard: Guard = Guard()) -> Polled:  # noqa: B008 - frozen
    """Poll these now: downloads side by side, their results one after the other."""
    total, hosts = Polled(), Hosts()
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="sources") as executor:
        futures = {executor.submit(_fetched, source, guard, hosts): source for source in sources}
        for future in as_completed(futures):
            # Forgotten with its answer: a hundred of them may have 3 MB each.
            total += _safely_applied(futures.pop(future), future.result(), guard)
    return total


def _claimed(now: datetime) -> list[Source]:
    with transaction.atomic():
        due = Source.objects.filter(is_active=True, next_poll_at__lte=now).select_related("publication")
        due = due.exclude(url__istartswith="mailto:")  # its mails come by themselves
        claimed = list(due.select_for_update(skip_locked=True, of=("self",)).order_by("next_poll_at", "pk")[:CHUNK])
        Source.objects.filter(pk__in=[source.pk for source in claimed]).update(next_poll_at=now + INTERVAL)
    return claimed


def _fetched(source: Source, guard: Guard, hosts: Hosts) -> Found:
    conditions = {"If-None-Match": source.etag, "If-Modified-Since": source.last_modified}
    headers = {**_HEADERS, **{name: value for name, value in conditions.items() if value}}
    with hosts.slot(source.url):
        try:
            if source.kind == "mailbox":
                return mailboxes.fetch(source)
            return download(source.url, guard, most_bytes=MOST_BYTES, headers=headers)
        except DownloadError as error:
            return error


def _safely_applied(source: Source, found: Found, guard: Guard) -> Polled:
    """One feed that nobody thought of does not keep the others waiting."""
    try:
        return _applied(source, found, guard)
    except (DatabaseError, ValueError, TypeError, LookupError, AttributeError) as error:
        log.exception("source_not_applied", source=source.pk)
        return _failed(source, f"the feed could not be taken in ({type(error).__name__}); the log says more")


def _applied(source: Source, found: Found, guard: Guard) -> Polled:
    if isinstance(found, DownloadError):
        return _failed(source, str(found), error=found)
    if isinstance(found, Unread):
        return _mails_taken(source, found)
    body_hash = hashlib.blake2b(found.body, digest_size=16).hexdigest()
    if found.is_unchanged or body_hash == source.body_hash:
        _note(source, failures=0, error="")
        return Polled(sources=1)
    try:
        feed = read_feed(found.body, found.url, headers=found.headers)
    except ArticleError as error:
        return _failed(source, str(error).removeprefix(f"{found.url}: "))
    stories, articles = _taken_in(source, feed)
    remarks = give_pictures(stories[:MOST_PICTURES], articles[:MOST_PICTURES], guard)
    log.info("source_polled", source=source.pk, stories=len(stories), remarks=remarks)
    _note(
        source,
        failures=0,
        error="",
        title=source.title or feed.title[:300],
        etag=found.headers.get("etag", "")[:300],
        last_modified=found.headers.get("last-modified", "")[:100],
        body_hash=body_hash,
    )
    return Polled(sources=1, stories=len(stories))


def _mails_taken(source: Source, unread: Unread) -> Polled:
    """One mail that cannot be read keeps no other waiting. It stays unread and is named with each poll, until a person has looked."""
    taken, stories, refused = [], 0, list(unread.refused)
    for uid, raw in unread.messages.items():
        try:
            stories += mails.take_mail(source, parse_mail(raw))
            taken.append(uid)
        except mails.READING_ERRORS as error:
            refused.append(f"a mail was refused: {mails.unreadable(error)}")
    _note(source, failures=0, error="")
    if refused:
        mails.note_problem(source, "; ".join(dict.fromkeys(refused)))
    try:
        mailboxes.mark_as_read(source, unread.validity, taken)
    except DownloadError as error:
        mails.note_problem(source, f"mails that were taken could not be marked as read: {error}")
    return Polled(sources=1, stories=stories)


@transaction.atomic
def _taken_in(source: Source, feed: Feed) -> tuple[list[Story], list[Article]]:
    """The stories made of entries not seen before; every entry counts as seen now."""
    Source.objects.select_for_update().get(pk=source.pk)
    hashes = {SourceEntry.hash_of(entry.key): entry for entry in feed.entries}
    seen = set(source.entries.filter(key_hash__in=hashes).values_list("key_hash", flat=True))
    new = {key: entry for key, entry in hashes.items() if key not in seen}
    is_first = not source.entries.exists()
    wanted = {key: entry for key, entry in new.items() if is_wanted(source, _words_of(entry.article))}
    if is_first:
        wanted = dict(list(_young(wanted))[:FIRST_MOST])
    articles = tuple(_with_topic(source, entry.article) for entry in wanted.values())
    intake = take_in(source.publication, Collection(form="feed", articles=articles))
    story_of = dict(zip(wanted, intake.stories, strict=True))
    SourceEntry.objects.bulk_create(
        [SourceEntry(source=source, key_hash=key, story=story_of.get(key)) for key in new], ignore_conflicts=True
    )
    repeats = {story.pk for story in intake.repeats}
    made = [
        (story, article) for story, article in zip(intake.stories, articles, strict=True) if story.pk not in repeats
    ]
    return [story for story, _ in made], [article for _, article in made]


def _young(entries: dict[str, Entry]) -> Iterator[tuple[str, Entry]]:
    oldest = timezone.now().date() - timedelta(days=FIRST_DAYS)
    for key, entry in entries.items():
        if entry.article.published_on is None or entry.article.published_on >= oldest:
            yield key, entry


def _words_of(article: Article) -> str:
    return " ".join([article.headline, article.lede, *article.topics])


def _with_topic(source: Source, article: Article) -> Article:
    topics = tuple(dict.fromkeys([*filter(None, [source.topic]), *article.topics]))
    return replace(article, topics=topics, site=article.site or source.title[:120])


def _failed(source: Source, message: str, *, error: DownloadError | None = None) -> Polled:
    failures = source.failures + 1
    wait = min(LONGEST_INTERVAL, INTERVAL * 2 ** min(failures, 10))
    if error is not None:
        wait = max(wait, min(LONGEST_INTERVAL, _asked_to_wait(error.retry_after)))
    is_gone = error is not None and error.status == _GONE
    log.info("source_failed", source=source.pk, failures=failures, reason=message[:300])
    _note(
        source,
        failures=min(failures, 32000),
        error="the server says that the feed is gone for good; it is polled no more" if is_gone else message[:300],
        next_poll_at=timezone.now() + wait,
        is_active=source.is_active and not is_gone,
    )
    return Polled(sources=1, failed=1)


def _asked_to_wait(written: str) -> timedelta:
    """Retry-After: seconds or a date (RFC 9110, 10.2.3)."""
    if written.strip().isdigit():
        return timedelta(seconds=min(int(written.strip()[:9]), 10**6))
    with suppress(TypeError, ValueError):
        return max(timedelta(), email.utils.parsedate_to_datetime(written) - timezone.now())
    return timedelta()


def _note(source: Source, **fields: object) -> None:
    """Only what the poll has found: an editor may have changed the rest meanwhile."""
    Source.objects.filter(pk=source.pk).update(polled_at=timezone.now(), **fields)
