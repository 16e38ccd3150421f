"""Freezing a send's audience: set-based SQL that gives each candidate exactly one row.

A candidate has any subscription on the send's lists and matches its segment. Each ends as a delivery in a batch, or as an
exclusion with its reason. The sum is verified.
"""

from dataclasses import dataclass
from itertools import combinations

from django.db.backends.utils import CursorWrapper

from composer.models import Variant
from newsdesk.core.errors import BrokenPromiseError
from subscribers.audience import audience
from subscribers.segments import Scope, condition, parse
from subscribers.sql import SqlCondition
from tasks.audience import engaged_first, frequency_cap, left_out_readers
from tasks.audience.cutting import Cut, cut
from tasks.audience.tracking import NOBODY, Tracked, tracked_readers
from tasks.models import Send
from tasks.models.batch import BATCH_SIZE
from tasks.throttling import canary, warm_up


class CountsDoNotAddUpError(BrokenPromiseError):
    """The frozen audience is not the candidates; nothing of it was kept."""


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """The numbers of a frozen audience. `excluded`: how many candidates by reason."""

    send_id: int
    candidates: int
    deliveries: int
    batches: int
    excluded: dict[str, int]
    #: The batch whose answer the others wait for.
    canary_batch: int | None = None


_FREEZE = """
CREATE TEMPORARY TABLE prepared ON COMMIT DROP AS
WITH audience AS ({audience}),
reasoned AS (
    SELECT a.subscriber_id, v.variant_id, {timezone} AS timezone{tracked},
           CASE WHEN a.reason IS NOT NULL THEN a.reason
                WHEN {received} THEN 'already_received'
                WHEN {capped} THEN 'frequency_cap'
                WHEN v.variant_id IS NULL THEN 'no_stories' END AS reason
      FROM audience a
      {subscriber}
      {recent}
      {answers}
      LEFT JOIN (VALUES {variants}) AS v(mask, variant_id) ON v.mask = {mask}
)
SELECT subscriber_id, reason, CASE WHEN reason IS NULL THEN variant_id END AS variant_id, timezone{kept} FROM reasoned
"""
#: One pass over all of them; whatever else asks how many asks here.
_COUNT = """
CREATE TEMPORARY TABLE counted ON COMMIT DROP AS
SELECT reason, variant_id, timezone{kept}, count(*) AS members FROM prepared GROUP BY reason, variant_id, timezone{kept}
"""
_EXCLUSIONS = """
INSERT INTO tasks_exclusion (send_id, subscriber_id, kind, reason, attempt, other_send_id)
SELECT %s, a.subscriber_id, 'excluded', a.reason, 0,
       CASE WHEN a.reason = 'already_received' THEN (SELECT max(d.send_id) {elsewhere}) END
  FROM prepared a WHERE a.reason IS NOT NULL
"""
#: The deliveries of the edition to ``a`` in other sends, unless excluded, failed or cancelled there; unknown counts.
_ELSEWHERE = """
FROM tasks_delivery d JOIN tasks_batch b ON b.id = d.batch_id
         WHERE d.send_id = ANY(%s) AND d.subscriber_id = a.subscriber_id
           AND b.status NOT IN ('failed', 'cancelled')
           AND NOT EXISTS (SELECT 1 FROM tasks_exclusion x
                            WHERE x.send_id = d.send_id AND x.subscriber_id = d.subscriber_id)
"""
_RECEIVED = f"EXISTS (SELECT 1 {_ELSEWHERE})"


def freeze(cursor: CursorWrapper, send: Send) -> Prepared:
    """Write deliveries and exclusions, and leave the batches in the temporary table `cut`.

    Call it inside a transaction that has locked the edition. Raises CountsDoNotAddUpError, RuleError where a segment's rule
    is not understood, and the database's errors.
    """
    tracked = tracked_readers(cursor, send)
    wanted, excluded, in_order = _sorted(cursor, send, tracked)
    size = _batch_size(send)
    small = canary.size(wanted, batch_size=size)
    written = cut(cursor, send, tracked, size=size, canary=small, in_order=in_order)
    cursor.execute(_EXCLUSIONS.format(elsewhere=_ELSEWHERE), [send.pk, _other_sends(send)])
    excluded_rows = cursor.rowcount
    prepared = Prepared(
        send_id=send.pk,
        candidates=wanted + sum(excluded.values()),
        deliveries=wanted,
        batches=written.batches,
        excluded=excluded,
        canary_batch=written.canary_batch,
    )
    _verify(prepared, written, excluded_rows=excluded_rows, size=size)
    return prepared


def sort_candidates(cursor: CursorWrapper, send: Send, tracked: Tracked = NOBODY) -> tuple[int, dict[str, int]]:
    """Give each candidate their variant or their reason, in the temporary table `prepared`; how many of each kind, in `counted`.

    Both have a column `tracked` where that differs among readers.

    Returns how many get the send, and how many do not by reason.

    Raises as `freeze` does.
    """
    wanted, excluded, _ = _sorted(cursor, send, tracked)
    return wanted, excluded


def _sorted(cursor: CursorWrapper, send: Send, tracked: Tracked) -> tuple[int, dict[str, int], bool]:
    """The same, and whether the table `places` says in which order readers are mailed."""
    statement = _freeze_sql(send, tracked)
    cursor.execute(statement.sql, statement.params)
    in_order = engaged_first.arrange(cursor, send)
    cursor.execute(_COUNT.format(kept=_kept(tracked)))
    cursor.execute("SELECT reason, sum(members)::bigint FROM counted GROUP BY reason")
    counted = dict(cursor.fetchall())
    return counted.pop(None, 0), counted, in_order


def _batch_size(send: Send) -> int:
    """Deliveries in one request of this send; fewer while its domain is being warmed up."""
    return min(BATCH_SIZE, warm_up.batch_size(send.sender_domain))


def _verify(prepared: Prepared, written: Cut, *, excluded_rows: int, size: int) -> None:
    excluded = sum(prepared.excluded.values())
    adds_up = (
        prepared.deliveries == written.deliveries == written.in_batches
        and excluded == excluded_rows
        and written.largest <= size
    )
    if not adds_up:
        raise CountsDoNotAddUpError(
            f"{prepared.candidates} candidates, but {written.deliveries} deliveries, {written.in_batches} in batches and "
            f"{excluded_rows} exclusions"
        )


def _kept(tracked: Tracked) -> str:
    return ", tracked" if tracked.differs else ""


def _freeze_sql(send: Send, tracked: Tracked) -> SqlCondition:
    list_ids = list(send.lists.values_list("pk", flat=True))
    rules = {slug: parse(rule) for slug, rule in sorted(send.approval.audience_rules.items())}
    only = left_out_readers.condition(send.in_place_of_id) if send.in_place_of_id else None
    candidates = audience(list_ids, publication_id=send.edition.publication_id, rule=send.segment_rule, restrict=only)
    other_sends = _other_sends(send)
    received = SqlCondition(_RECEIVED, (other_sends,)) if other_sends else SqlCondition("false")
    capped, recent = frequency_cap.conditions(send)
    scope = Scope(publication_id=send.edition.publication_id, list_ids=list_ids)
    conditions = [condition(rule, scope) for rule in rules.values()]
    bits = [f"CASE WHEN {one.sql} THEN {1 << at} ELSE 0 END" for at, one in enumerate(conditions)]
    reads_subscribers = rules or send.local_at
    sql = _FREEZE.format(
        audience=candidates.sql,
        received=received.sql,
        capped=capped.sql,
        recent=recent.sql,
        answers=tracked.join,
        tracked=f", {tracked.sql} AS tracked" if tracked.differs else "",
        kept=_kept(tracked),
        timezone="s.timezone" if send.local_at else "''",
        subscriber="JOIN subscribers_subscriber s ON s.id = a.subscriber_id" if reads_subscribers else "",
        variants=", ".join(_variant_masks(send, list(rules))),
        mask=" + ".join(bits) or "0",
    )
    parts = (candidates, received, capped, recent, *conditions)
    return SqlCondition(sql, tuple(param for part in parts for param in part.params))


def _other_sends(send: Send) -> list[int]:
    """The other sends of its edition."""
    return list(Send.objects.filter(edition_id=send.edition_id).exclude(pk=send.pk).values_list("pk", flat=True))


def _variant_masks(send: Send, slugs: list[str]) -> list[str]:
    """One "(mask, variant id)" for each set of segments a reader may be in; bit n = the n-th slug in order.

    Raises CountsDoNotAddUpError when the frozen variants leave a set without an answer.
    """
    by_set: dict[frozenset[str], int | None] = {}
    for variant in Variant.objects.filter(approval_id=send.approval_id).only("pk", "audiences", "stories"):
        for segments in variant.audiences:
            by_set[frozenset(segments)] = variant.pk if variant.stories else None
    masks = []
    for count in range(len(slugs) + 1):
        for members in combinations(slugs, count):
            chosen = frozenset(members)
            if chosen not in by_set:
                raise CountsDoNotAddUpError(f"no variant was frozen for readers in {sorted(chosen) or 'no segment'}")
            mask = sum(1 << slugs.index(slug) for slug in members)
            variant_id = by_set[chosen]
            masks.append(f"({mask}, {'NULL::bigint' if variant_id is None else f'{variant_id}::bigint'})")
    return masks
