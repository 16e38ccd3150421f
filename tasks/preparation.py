"""Freezing a send's audience: one restartable transaction of set-based SQL (design §4.5).

A candidate has any subscription on the send's lists and matches its segment. Each ends in exactly one row: a delivery in
a batch, or an exclusion with its reason. The sum is verified before anything is committed; a crash leaves nothing.
"""

from dataclasses import dataclass
from itertools import combinations

import structlog
from django.db import InterfaceError, OperationalError, connection
from django.db.models.functions import Now

from composer.models import Variant
from subscribers.audience import audience
from subscribers.segments import RuleError, condition, parse
from subscribers.sql import SqlCondition
from tasks import ground, stopping
from tasks.durability import durable
from tasks.models import Send

log = structlog.get_logger(__name__)

BATCH_SIZE = 1000
#: Class of the advisory lock that makes preparations of one edition come one after the other.
_LOCK_CLASS = 0x4E44


class CountsDoNotAddUp(Exception):  # noqa: N818 - it stops a send
    """The frozen audience is not the candidates; nothing of it was kept."""


@dataclass(frozen=True, kw_only=True)
class Prepared:
    send_id: int
    candidates: int
    deliveries: int
    batches: int
    excluded: dict[str, int]


_FREEZE = """
CREATE TEMPORARY TABLE prepared ON COMMIT DROP AS
WITH audience AS ({audience}),
judged AS (
    SELECT a.subscriber_id, v.variant_id,
           CASE WHEN a.reason IS NOT NULL THEN a.reason
                WHEN {received} THEN 'already_received'
                WHEN v.variant_id IS NULL THEN 'no_stories' END AS reason
      FROM audience a
      {subscriber}
      LEFT JOIN (VALUES {variants}) AS v(mask, variant_id) ON v.mask = {mask}
)
SELECT subscriber_id, reason, CASE WHEN reason IS NULL THEN variant_id END AS variant_id,
       CASE WHEN reason IS NULL
            THEN (row_number() OVER (PARTITION BY reason IS NULL, variant_id ORDER BY subscriber_id) - 1) / {size}
            END AS slot
  FROM judged
"""
_CUT = """
CREATE TEMPORARY TABLE cut ON COMMIT DROP AS
SELECT nextval(pg_get_serial_sequence('tasks_batch', 'id')) AS batch_id, variant_id, slot, members
  FROM (SELECT variant_id, slot, count(*) AS members FROM prepared WHERE reason IS NULL
         GROUP BY variant_id, slot ORDER BY variant_id, slot) AS slots
"""
_BATCHES = """
INSERT INTO tasks_batch (id, send_id, variant_id, size, status, attempts, lost_attempts, rounds, holder,
                         excluded, failed, delivered, bounced, complained, unsubscribed, opened, clicked)
SELECT batch_id, %s, variant_id, members, 'pending', 0, 0, 0, '', 0, 0, 0, 0, 0, 0, 0, 0 FROM cut
"""
_DELIVERIES = """
INSERT INTO tasks_delivery (send_id, subscriber_id, batch_id)
SELECT %s, p.subscriber_id, c.batch_id
  FROM prepared p JOIN cut c ON c.variant_id = p.variant_id AND c.slot = p.slot
"""
_EXCLUSIONS = """
INSERT INTO tasks_exclusion (send_id, subscriber_id, kind, reason, attempt)
SELECT %s, subscriber_id, 'excluded', reason, 0 FROM prepared WHERE reason IS NOT NULL
"""
#: Whoever has a delivery of the edition in another send, unless excluded, failed or cancelled there; unknown counts.
_RECEIVED = """
EXISTS (SELECT 1 FROM tasks_delivery d JOIN tasks_batch b ON b.id = d.batch_id
         WHERE d.send_id = ANY(%s) AND d.subscriber_id = a.subscriber_id
           AND b.status NOT IN ('failed', 'cancelled')
           AND NOT EXISTS (SELECT 1 FROM tasks_exclusion x
                            WHERE x.send_id = d.send_id AND x.subscriber_id = d.subscriber_id))
"""


def prepare_due() -> int:
    """Prepare every send whose time has come; how many."""
    due = Send.objects.filter(status=Send.Status.SCHEDULED, scheduled_at__lte=Now()).order_by("scheduled_at", "pk")
    prepared = 0
    for send_id in list(due.values_list("pk", flat=True)):
        try:
            prepared += prepare(send_id) is not None
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:
            # It must not hold up the others behind it, nor be tried for ever in silence.
            log.exception("send_not_prepared", send=send_id)
            stopping.pause(send_id, f"It could not be prepared: {type(error).__name__}: {error}")
    return prepared


def prepare(send_id: int) -> Prepared | None:
    """Freeze the audience of a due send and start it; None when it is not due, or another process has it.

    A send that cannot be prepared is paused with the reason.
    """
    try:
        with durable():
            prepared = _prepare(send_id)
    except (CountsDoNotAddUp, RuleError) as error:
        stopping.pause(send_id, f"It could not be prepared: {error}")
        return None
    if prepared is not None:
        log.info("send_prepared", send=send_id, candidates=prepared.candidates, batches=prepared.batches)
        stopping.ring_pending(send_id)
        stopping.finish_if_done(send_id)
    return prepared


def _prepare(send_id: int) -> Prepared | None:
    send = (
        Send.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("approval__edition")
        .filter(pk=send_id, status=Send.Status.SCHEDULED, scheduled_at__lte=Now())
        .first()
    )
    if send is None:
        return None
    if not send.approval.stands:
        stopping.pause(send_id, "The edition was reopened after it was scheduled: approve it and schedule it again.")
        return None
    here = ground.current()
    if _stands_elsewhere(send, here):
        return None
    with connection.cursor() as cursor:
        # Two sends of one edition must see each other's deliveries.
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK_CLASS, send.edition_id % 2**31])
        freeze = _freeze_sql(send)
        cursor.execute(freeze.sql, freeze.params)
        cursor.execute(_CUT)
        cursor.execute(_BATCHES, [send_id])
        batches = cursor.rowcount
        cursor.execute(_DELIVERIES, [send_id])
        deliveries = cursor.rowcount
        cursor.execute(_EXCLUSIONS, [send_id])
        excluded_rows = cursor.rowcount
        cursor.execute("SELECT reason, count(*) FROM prepared GROUP BY reason")
        counted = dict(cursor.fetchall())
        cursor.execute("SELECT COALESCE(sum(members), 0), COALESCE(max(members), 0) FROM cut")
        in_batches, largest = cursor.fetchone()
        cursor.execute("DROP TABLE prepared, cut")
    prepared = Prepared(
        send_id=send_id,
        candidates=sum(counted.values()),
        deliveries=counted.pop(None, 0),
        batches=batches,
        excluded=counted,
    )
    _verify(prepared, deliveries=deliveries, in_batches=int(in_batches), excluded_rows=excluded_rows, largest=largest)
    _start(send, prepared, here)
    return prepared


def _stands_elsewhere(send: Send, here: ground.Ground) -> bool:
    """True, and the send is paused, when the database is not the one it was scheduled in."""
    if not send.system_identifier or (send.system_identifier, send.timeline) == (here.system_identifier, here.timeline):
        return False
    stopping.ground_moved(
        send.pk,
        "The database was restored or promoted since the send was scheduled: it may have gone out already. "
        "Cancel it, and schedule it again if it has not.",
    )
    return True


def _verify(prepared: Prepared, *, deliveries: int, in_batches: int, excluded_rows: int, largest: int) -> None:
    excluded = sum(prepared.excluded.values())
    adds_up = (
        prepared.deliveries == deliveries == in_batches
        and excluded == excluded_rows
        and prepared.candidates == deliveries + excluded
        and largest <= BATCH_SIZE
    )
    if not adds_up:
        raise CountsDoNotAddUp(
            f"{prepared.candidates} candidates, but {deliveries} deliveries, {in_batches} in batches and "
            f"{excluded_rows} exclusions"
        )


def _start(send: Send, prepared: Prepared, here: ground.Ground) -> None:
    send.status = Send.Status.SENDING
    send.candidates = prepared.candidates
    send.excluded = prepared.excluded
    send.system_identifier = here.system_identifier
    send.timeline = here.timeline
    send.prepared_at = Now()
    send.save(update_fields=["status", "candidates", "excluded", "system_identifier", "timeline", "prepared_at"])


def _freeze_sql(send: Send) -> SqlCondition:
    list_ids = list(send.lists.values_list("pk", flat=True))
    rules = {slug: parse(rule) for slug, rule in sorted(send.approval.audience_rules.items())}
    candidates = audience(list_ids, publication_id=send.edition.publication_id, rule=send.segment_rule)
    others = list(Send.objects.filter(edition_id=send.edition_id).exclude(pk=send.pk).values_list("pk", flat=True))
    received = SqlCondition(_RECEIVED, (others,)) if others else SqlCondition("false")
    conditions = [condition(rule, list_ids=list_ids) for rule in rules.values()]
    bits = [f"CASE WHEN {one.sql} THEN {1 << at} ELSE 0 END" for at, one in enumerate(conditions)]
    sql = _FREEZE.format(
        audience=candidates.sql,
        received=received.sql,
        subscriber="JOIN subscribers_subscriber s ON s.id = a.subscriber_id" if rules else "",
        variants=", ".join(_variant_masks(send, list(rules))),
        mask=" + ".join(bits) or "0",
        size=BATCH_SIZE,
    )
    params = (*candidates.params, *received.params, *(value for one in conditions for value in one.params))
    return SqlCondition(sql, params)


def _variant_masks(send: Send, slugs: list[str]) -> list[str]:
    """One "(mask, variant id)" for each set of segments a reader may be in; bit n = the n-th slug in order.

    Raises CountsDoNotAddUp when the frozen variants leave a set without an answer.
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
                raise CountsDoNotAddUp(f"no variant was frozen for readers in {sorted(chosen) or 'no segment'}")
            mask = sum(1 << slugs.index(slug) for slug in members)
            variant_id = by_set[chosen]
            masks.append(f"({mask}, {'NULL::bigint' if variant_id is None else f'{variant_id}::bigint'})")
    return masks
