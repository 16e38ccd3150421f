"""The result of an edition: readers by outcome, clicks by story, by link and over time, and the editions before it.

Outcomes are those that `newsdesk status` counts (`tasks.sends.counts`), added up over the edition's sends. Clicks are
counted from the events, people and not clicks, without those of machines.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from django.core.cache import cache
from django.db import connection, transaction

from composer.frozen_content import StoryLinks, frozen_content, story_links
from composer.models import Approval, Edition
from tasks.models import Send
from tasks.models.batch import live_sql
from tasks.providers.events import EventKind
from tasks.sends.counts import Counts

#: Hours after the beginning of a send that are shown one by one.
HOURS = 48
#: Links that are listed; per-reader addresses could be as many as readers.
LINKS = 50
EARLIER = 10
#: Bytes that were approved never change, so neither do their links (seconds).
_LINKS_KEPT = 24 * 60 * 60
#: From so many people who opened or clicked on, what the events say may be so old (seconds): the page is watched every
#: two seconds. The outcomes are those of the moment, always.
_MANY = 20_000
_ACTS_KEPT = 60

#: The most clicked links and the people of each story; story 0: a link that no story has. The hours are counted from when
#: the reader's own send began. Addresses are compared as bytes: in a language's order it would take twice as long.
_CLICKS = f"""
WITH clicked AS MATERIALIZED (
    SELECT e.send_id, e.subscriber_id, e.url COLLATE "C" AS url, count(*) AS clicks, min(e.at) AS first
      FROM tasks_event e
     WHERE e.send_id = ANY(%s) AND e.kind = '{EventKind.CLICKED.value}' AND NOT e.machine
     GROUP BY e.send_id, e.subscriber_id, e.url COLLATE "C"
), story_of AS (
    SELECT url COLLATE "C" AS url, story FROM unnest(%s::text[], %s::int[]) AS m(url, story)
), links AS MATERIALIZED (
    SELECT url, count(*) AS people, sum(clicks) AS clicks FROM clicked GROUP BY url
), stories AS (
    SELECT story, count(DISTINCT subscriber_id) AS people, sum(clicks) AS clicks FROM clicked JOIN story_of USING (url)
     GROUP BY story
), firsts AS (
    SELECT GREATEST(0, floor(EXTRACT(EPOCH FROM f.first - s.prepared_at)::float8 / 3600))::int AS hour, count(*) AS people
      FROM (SELECT send_id, min(first) AS first FROM clicked GROUP BY send_id, subscriber_id) f
      JOIN tasks_send s ON s.id = f.send_id GROUP BY 1
)
SELECT (SELECT COALESCE(jsonb_agg(jsonb_build_array(story, people, clicks)), '[]') FROM stories),
       (SELECT COALESCE(jsonb_agg(jsonb_build_array(url, COALESCE(story, 0), people, clicks)), '[]') FROM (
            SELECT * FROM links LEFT JOIN story_of USING (url) ORDER BY people DESC, url LIMIT {LINKS}) x),
       (SELECT count(*) FROM links),
       (SELECT COALESCE(jsonb_object_agg(hour, people), '{{}}') FROM firsts),
       (SELECT floor(EXTRACT(EPOCH FROM statement_timestamp() - min(prepared_at)) / 3600)::int
          FROM tasks_send WHERE id = ANY(%s))
"""  # noqa: S608 - made of constants
#: Mails that a machine opened, whether or not their readers did too. Each send for itself: the index has its order.
_MACHINE_OPENS = f"""
SELECT COALESCE(sum(readers), 0) FROM unnest(%s::bigint[]) AS of(send_id) CROSS JOIN LATERAL (
    SELECT count(DISTINCT e.subscriber_id) AS readers FROM tasks_event e
     WHERE e.send_id = of.send_id AND e.machine
       AND e.kind IN ('{EventKind.OPENED.value}', '{EventKind.OPENED_BY_MACHINE.value}')
) opened
"""  # noqa: S608 - made of constants
#: For as long as it takes to count a million readers' clicks in memory.
_IN_MEMORY = "SELECT set_config('work_mem', '64MB', true), set_config('jit', 'off', true)"
#: Batches only: a few hundred rows for a million readers.
_EARLIER = f"""
WITH began AS (
    SELECT s.edition_id, min(s.prepared_at) AS at FROM tasks_send s JOIN composer_edition e ON e.id = s.edition_id
     WHERE e.publication_id = %s AND s.prepared_at IS NOT NULL GROUP BY s.edition_id
), before AS (
    SELECT edition_id, at FROM began
     WHERE edition_id <> %s AND at < COALESCE((SELECT at FROM began WHERE edition_id = %s), 'infinity')
     ORDER BY at DESC LIMIT %s
)
SELECT e.id, e.number, e.title, sums.submitted, sums.delivered, sums.bounced, sums.unsubscribed, sums.clicked, sums.tracked
  FROM before JOIN composer_edition e ON e.id = before.edition_id
  CROSS JOIN LATERAL (
    SELECT COALESCE(sum({live_sql("b")}) FILTER (WHERE b.status = 'submitted'), 0) AS submitted,
           COALESCE(sum(b.delivered), 0) AS delivered, COALESCE(sum(b.bounced), 0) AS bounced,
           COALESCE(sum(b.unsubscribed), 0) AS unsubscribed, COALESCE(sum(b.clicked), 0) AS clicked,
           COALESCE(sum({live_sql("b")}) FILTER (WHERE b.status = 'submitted' AND b.tracked), 0) AS tracked
      FROM tasks_batch b JOIN tasks_send s ON s.id = b.send_id WHERE s.edition_id = e.id
  ) sums
 WHERE sums.submitted > 0
 ORDER BY before.at
"""  # noqa: S608 - made of constants


@dataclass(frozen=True, kw_only=True)
class Totals:
    """Readers of all sends of an edition, as `Counts` has them."""

    pending: int = 0
    submitting: int = 0
    submitted: int = 0
    unknown: int = 0
    failed: int = 0
    delivered: int = 0
    bounced: int = 0
    complained: int = 0
    unsubscribed: int = 0
    opened: int = 0
    clicked: int = 0
    tracked: int = 0

    @property
    def readers(self) -> int:
        """Whoever it is for: everybody who was not left out."""
        return self.pending + self.submitting + self.submitted + self.unknown + self.failed


@dataclass(frozen=True, kw_only=True)
class StoryClicks:
    number: int
    headline: str
    people: int
    clicks: int
    #: Whether it links anywhere at all.
    is_linked: bool


@dataclass(frozen=True, kw_only=True)
class LinkClicks:
    url: str
    #: Its story's number; 0: it belongs to none.
    story: int
    people: int
    clicks: int


@dataclass(frozen=True, kw_only=True)
class EditionFigures:
    """One edition beside others."""

    edition_id: int
    number: int | None
    title: str
    submitted: int
    delivered: int
    bounced: int
    unsubscribed: int
    clicked: int
    #: Whose clicks the provider was asked to report.
    tracked: int


@dataclass(frozen=True, kw_only=True)
class Results:
    totals: Totals
    #: In the order of the mail.
    stories: tuple[StoryClicks, ...]
    #: The most clicked first.
    links: tuple[LinkClicks, ...]
    #: Links that were clicked and are not among `links`.
    more_links: int
    #: People who had clicked by the end of each hour since the beginning, as far as it has come; at most HOURS.
    by_hour: tuple[int, ...]
    #: Mails that a machine opened.
    machine_opens: int
    #: Up to ten editions of the publication that began before this one, the oldest first.
    earlier: tuple[EditionFigures, ...]


def results(edition: Edition, sends: Sequence[Send], counted: Sequence[Counts]) -> Results | None:
    """What came of the edition's sends that were prepared; None while none was. `counted`: the counts of each."""
    begun = [(send, numbers) for send, numbers in zip(sends, counted, strict=True) if send.prepared_at]
    if not begun:
        return None
    ids = [send.pk for send, _ in begun]
    newest = max(begun, key=lambda one: one[0].pk)[0]
    summed = totals([numbers for _, numbers in begun])
    acts = _acts(ids, newest.approval, keep=summed.clicked + summed.opened > _MANY)
    return Results(totals=summed, earlier=earlier_editions(edition), **acts)


def totals(counted: Sequence[Counts]) -> Totals:
    """The sum over sends: nobody gets an edition twice, so only who failed in one and got it by another counts in both."""
    return Totals(**{one.name: sum(getattr(numbers, one.name) for numbers in counted) for one in fields(Totals)})


def earlier_editions(edition: Edition, *, most: int = EARLIER) -> tuple[EditionFigures, ...]:
    """The editions of the publication whose first send began before this one's, the oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(_EARLIER, [edition.publication_id, edition.pk, edition.pk, most])
        names = [one.name for one in fields(EditionFigures)]
        return tuple(
            EditionFigures(**dict(zip(names, (*row[:3], *map(int, row[3:])), strict=True))) for row in cursor.fetchall()
        )


def _acts(send_ids: list[int], approval: Approval, *, keep: bool) -> dict[str, Any]:
    """What readers and machines did, from the events; with `keep` it may be a minute old."""
    key = f"acts:{','.join(map(str, send_ids))}:{approval.content_hash}"
    kept: dict[str, Any] | None = cache.get(key) if keep else None
    if kept is None:
        stories = _story_links(approval)
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(_IN_MEMORY)
            kept = {**_clicks(send_ids, stories), "machine_opens": _one_number(_MACHINE_OPENS, [send_ids])}
        if keep:
            cache.set(key, kept, _ACTS_KEPT)
    return kept


def _clicks(send_ids: list[int], stories: Sequence[StoryLinks]) -> dict[str, Any]:
    pairs = [(url, story.number) for story in stories for url in story.urls]
    with connection.cursor() as cursor:
        cursor.execute(_CLICKS, [send_ids, [url for url, _ in pairs], [number for _, number in pairs], send_ids])
        by_story, links, link_count, firsts, age = (_loaded(cell) for cell in cursor.fetchone())
    of_story = {number: (people, clicks) for number, people, clicks in by_story}
    listed = tuple(LinkClicks(url=u, story=s, people=p, clicks=c) for u, s, p, c in links)
    return {
        "stories": tuple(_story(story, *of_story.get(story.number, (0, 0))) for story in stories),
        "links": listed,
        "more_links": link_count - len(listed),
        "by_hour": _cumulative({int(hour): people for hour, people in firsts.items()}, age),
    }


def _story(story: StoryLinks, people: int, clicks: int) -> StoryClicks:
    return StoryClicks(
        number=story.number, headline=story.headline, people=people, clicks=clicks, is_linked=bool(story.urls)
    )


def _cumulative(firsts: dict[int, int], age: int) -> tuple[int, ...]:
    sums, so_far = [], 0
    # A reader's click may carry a provider's clock that is ahead of ours.
    for hour in range(min(HOURS, max(0, age, *firsts or (0,)) + 1)):
        so_far += firsts.get(hour, 0)
        sums.append(so_far)
    return tuple(sums)


def _story_links(approval: Approval) -> tuple[StoryLinks, ...]:
    key = f"story-links:{approval.pk}:{approval.content_hash}"
    kept: tuple[StoryLinks, ...] | None = cache.get(key)
    if kept is None:
        kept = story_links(frozen_content(approval))
        cache.set(key, kept, _LINKS_KEPT)
    return kept


def _one_number(sql: str, params: list[Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        (number,) = cursor.fetchone()
    return int(number)


def _loaded(cell: Any) -> Any:
    return json.loads(cell) if isinstance(cell, str) else cell
