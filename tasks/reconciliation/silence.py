"""When silence proves that the provider refused a request.

A provider that reports posts an event for whatever it accepts, and goes on trying (SendGrid for 24 hours). So an attempt nobody has heard of was refused,
if all of this is so: its worker can no longer POST (that is what `unknown` means, but for a worker whose session is gone), the grace is over and five passes
with it, three requests accepted later on the same key were heard of for at least 99 % of their members, no receipt
waits to be applied, no webhook call since was answered anything but 2xx, and the database is the one that was told since: one that does not agree with
the mark of what was sent, or whose home was copied, believes none until a person has said what it is.
"""

from functools import partial

import structlog
from django.conf import settings
from django.db import connection

from tasks.database import high_water, identity, leases
from tasks.providers.base import Transport
from tasks.reconciliation import activity, probes
from tasks.reconciliation.settling import settle_as_refused
from tasks.reconciliation.silence_conditions import HEARD_SHARE, LATER_REQUESTS, Doubt
from tasks.sends import database_behind

log = structlog.get_logger(__name__)

#: Seconds after which an accepted request that nobody heard of is a sign that nobody could reach us.
HEARD_WITHIN = 300.0

#: One row for each doubtful attempt, with each condition of the proof.
_DOUBTS = """
SELECT a.id, a.batch_id, b.send_id, a.silent_passes,
       EXTRACT(EPOCH FROM statement_timestamp() - GREATEST(COALESCE(a.finished_at, a.fenced_at),
               CASE WHEN a.evidence @> '[{"session": "gone"}]' THEN a.fenced_at + make_interval(secs => %(posts_for)s) END
           ))::float8 AS age,
       NOT EXISTS (SELECT 1 FROM tasks_receipt WHERE applied_at IS NULL) AS all_applied,
       COALESCE(t.silence_enabled, true) AS enabled,
       COALESCE((SELECT refused_at FROM tasks_webhookstate WHERE provider = split_part(a.transport, ':', 1))
                < a.fenced_at, true)
           AS webhook_accepted,
       NOT EXISTS (SELECT 1 FROM tasks_attempt other
                    WHERE other.transport = a.transport AND other.outcome = 'accepted'
                      AND other.fenced_at > a.fenced_at - interval '10 minutes'
                      AND other.fenced_at < statement_timestamp() - make_interval(secs => %(heard_within)s)
                      AND other.heard < other.size * %(share)s) AS others_heard,
       (SELECT count(*) FROM tasks_attempt later
         WHERE later.transport = a.transport AND later.outcome = 'accepted' AND later.size > 0
           AND later.fenced_at > COALESCE(a.finished_at, a.fenced_at)
           AND later.heard >= later.size * %(share)s) AS later_heard,
       jsonb_array_length(jsonb_path_query_array(a.evidence, '$[*] ? (@.kind == "activity")')) AS feed_passes
  FROM tasks_attempt a
  JOIN tasks_batch b ON b.id = a.batch_id AND b.attempt = a.id AND b.status = 'unknown'
  JOIN tasks_send send ON send.id = b.send_id CROSS JOIN <here>
  LEFT JOIN tasks_transportstate t ON t.name = a.transport
 WHERE a.outcome = 'unknown' AND a.transport = %(transport)s AND NOT a.evidence @> '[{"decided": "leave"}]' AND NOT a.evidence @> '[{"kind": "ground_moved"}]'
   AND (send.system_identifier = '' OR NOT <moved>)
 ORDER BY a.fenced_at
""".replace("<here>", identity.HERE_SQL).replace("<moved>", identity.MOVED_SQL)


def reconcile(*, transport: Transport, grace: float | None = None) -> None:
    """One pass over every doubtful attempt of this transport. `grace` in seconds, by default NEWSDESK_SILENCE_GRACE.

    Of transports that report nothing, no silence is believed: a person decides.
    """
    if not transport.reports:
        # A probe would bring no answer either.
        return
    if not _database_knows_what_was_sent():
        # Nor what was reported since of a request that it holds to be in doubt.
        return
    grace = float(settings.SILENCE_GRACE) if grace is None else grace
    doubts = doubts_of(transport.name, grace=grace)
    silent = [doubt.attempt for doubt in doubts if doubt.is_silence_meaningful]
    if silent:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE tasks_attempt SET silent_passes = LEAST(silent_passes + 1, 30000)"
                " WHERE id = ANY(%s) AND outcome = 'unknown'",
                [silent],
            )
    for doubt in doubts:
        if doubt.proves_refusal(grace):
            _refused_by_silence(doubt, grace)
    activity.ask(transport=transport, doubts=partial(doubts_of, transport.name, grace=grace), grace=grace)
    # With a feed what silence is compared with is needed sooner.
    grace = activity.grace_of(transport.name, grace) or grace
    need_probe = [
        doubt
        for doubt in doubts
        if doubt.is_silence_meaningful and doubt.later_heard < LATER_REQUESTS and doubt.age >= grace / 2
    ]
    if need_probe:
        probes.probe(need_probe[0].batch_id, transport=transport, every=max(grace / 10, 1.0))


def _database_knows_what_was_sent() -> bool:
    try:
        return database_behind.agrees()
    except high_water.UnsureError:
        return False


def doubts_of(transport: str, *, grace: float) -> list[Doubt]:
    """Every attempt of this transport whose silence may ever be believed, as it stands now. `grace` in seconds."""
    params: dict[str, str | float] = {
        "transport": transport,
        "share": HEARD_SHARE,
        "heard_within": min(grace, HEARD_WITHIN),
        "posts_for": leases.POSTS_FOR,
    }
    with connection.cursor() as cursor:
        cursor.execute(_DOUBTS, params)
        return [
            Doubt(
                attempt=attempt,
                batch_id=batch_id,
                send_id=send_id,
                passes=passes,
                age=age,
                all_applied=all_applied,
                enabled=enabled,
                webhook_accepted=webhook_accepted,
                others_heard=others_heard,
                later_heard=later_heard,
                feed_passes=feed_passes,
            )
            for (
                attempt,
                batch_id,
                send_id,
                passes,
                age,
                all_applied,
                enabled,
                webhook_accepted,
                others_heard,
                later_heard,
                feed_passes,
            ) in cursor.fetchall()
        ]


def _refused_by_silence(doubt: Doubt, grace: float) -> None:
    fact = {
        "kind": "silence",
        "proves": "refused",
        "seconds": round(doubt.age),
        "grace": grace,
        "passes": doubt.passes,
        "later_requests_heard": doubt.later_heard,
    }
    if settle_as_refused(doubt.batch_id, doubt.attempt, fact=fact, unless_receipts_wait=True):
        log.info("refused_by_silence", batch=doubt.batch_id, attempt=str(doubt.attempt), **fact)
