"""What a run of chaos asks of the database."""

#: Each send with its open batches and its doubts, all in one moment; what a person left alone is neither.
SENDS = """
SELECT s.id, s.status, s.prepared_at IS NOT NULL, s.pause_reason,
       count(b.id) FILTER (WHERE b.status IN ('pending', 'building', 'submitting')),
       count(b.id) FILTER (WHERE b.status = 'unknown' AND b.left_after_claims IS DISTINCT FROM b.attempts),
       count(b.id) FILTER (WHERE b.status = 'unknown' AND b.left_after_claims = b.attempts)
  FROM tasks_send s LEFT JOIN tasks_batch b ON b.send_id = s.id
 WHERE s.edition_id = %s GROUP BY s.id ORDER BY s.id
"""
QUIET = "SELECT count(*) FROM tasks_receipt WHERE applied_at IS NULL"
#: Doubts about which silence says nothing: a webhook call that came after the fence was refused.
DOUBTS = """
SELECT b.id, a.id::text, COALESCE(a.fenced_at <= t.refused_at, false)
  FROM tasks_batch b JOIN tasks_send s ON s.id = b.send_id JOIN tasks_attempt a ON a.id = b.attempt
  LEFT JOIN tasks_webhookstate t ON t.provider = 'sendgrid'
 WHERE s.edition_id = %s AND b.status = 'unknown' AND NOT a.evidence @> '[{"decided": "leave"}]'
"""
#: Over SMTP silence never says anything.
DOUBTS_OF_READERS = """
SELECT b.id, a.id::text
  FROM tasks_batch b JOIN tasks_send s ON s.id = b.send_id JOIN tasks_attempt a ON a.id = b.attempt
 WHERE s.edition_id = %s AND b.status = 'unknown' AND NOT a.evidence @> '[{"decided": "leave"}]'
"""
#: Of batches that were open when another database took the place of the one they were made in. There it may have no attempt, or only a
#: refused one before the one that is forgotten.
DOUBTS_OF_MOVED = """
SELECT b.id, COALESCE(a.id::text, 'batch ' || b.id)
  FROM tasks_batch b JOIN tasks_send s ON s.id = b.send_id LEFT JOIN tasks_attempt a ON a.id = b.attempt
 WHERE s.edition_id = %s AND b.status = 'unknown' AND b.left_after_claims IS DISTINCT FROM b.attempts
   AND (a.id IS NULL OR a.outcome = 'refused' OR a.evidence @> '[{"kind": "ground_moved"}]' OR a.evidence @> '[{"kind": "lost"}]')
"""
MEMBERS = """
SELECT d.send_id || '.' || d.subscriber_id FROM tasks_delivery d JOIN tasks_batch b ON b.send_id = d.send_id AND b.id = d.batch_id
 WHERE b.id = %s
"""
WAITING_READERS = """
SELECT d.send_id, d.subscriber_id, lower(r.email) FROM tasks_delivery d
  JOIN tasks_batch b ON b.id = d.batch_id JOIN tasks_send s ON s.id = b.send_id
  JOIN subscribers_subscriber r ON r.id = d.subscriber_id
 WHERE s.edition_id = %s AND lower(r.email) <> ALL(%s::text[]) ORDER BY b.status <> 'pending', md5(r.email || %s) LIMIT %s
"""
#: Each with an attempt, where their batch has one.
ANY_READERS = """
SELECT d.send_id || '.' || d.subscriber_id, r.email, COALESCE(b.attempt::text, '')
  FROM tasks_delivery d JOIN tasks_batch b ON b.send_id = d.send_id AND b.id = d.batch_id JOIN tasks_send s ON s.id = d.send_id
  JOIN subscribers_subscriber r ON r.id = d.subscriber_id
 WHERE s.edition_id = %s ORDER BY md5(r.email || %s) LIMIT 30
"""
DELIVERIES = """
SELECT d.send_id, d.subscriber_id, lower(r.email), b.status, x.kind, x.reason
  FROM tasks_delivery d JOIN tasks_batch b ON b.id = d.batch_id
  JOIN subscribers_subscriber r ON r.id = d.subscriber_id
  LEFT JOIN tasks_exclusion x ON x.send_id = d.send_id AND x.subscriber_id = d.subscriber_id
 WHERE d.send_id = ANY(%s)
"""
EXCLUDED = """
SELECT x.send_id, x.subscriber_id, lower(r.email), x.kind, x.reason
  FROM tasks_exclusion x JOIN subscribers_subscriber r ON r.id = x.subscriber_id
 WHERE x.send_id = ANY(%s) AND x.attempt = 0
"""
ATTEMPTS = """
SELECT a.id::text, b.send_id, a.outcome,
       CASE WHEN b.attempts = a.number THEN EXTRACT(EPOCH FROM b.claimed_at)::float8 END,
       a.evidence @> '[{"decided": "leave"}]', a.evidence
  FROM tasks_attempt a JOIN tasks_batch b ON b.id = a.batch_id WHERE b.send_id = ANY(%s)
"""
AUDIENCE = """
SELECT l.send_id, array_agg(DISTINCT lower(r.email)) FROM tasks_send_lists l
  JOIN subscribers_subscription n ON n.list_id = l.list_id JOIN subscribers_subscriber r ON r.id = n.subscriber_id
 WHERE l.send_id = ANY(%s) GROUP BY l.send_id
"""
