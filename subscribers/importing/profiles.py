"""What the staged rows say of readers who are known here: name, language, timezone, tags and attributes."""

from typing import Any

from subscribers.importing.plan import Mode, Plan


def change(cursor: Any, plan: Plan) -> None:
    """Update the profiles of those who are known, as the plan says."""
    if plan.mode == Mode.ADD:
        return
    if plan.mode == Mode.UPDATE:
        cursor.execute(_CHANGE)
        return
    clears = plan.mode == Mode.MIRROR
    values = {
        name: f"i.{name}" if clears and name in plan.fields else f"COALESCE(NULLIF(i.{name}, ''), s.{name})"
        for name in ("name", "language", "timezone")
    }
    values["tags"] = "i.tags" if "tags" in plan.fields else "s.tags"
    kept = "'{}'::jsonb" if plan.whole else "s.attributes - %(columns)s::text[]"
    values["attributes"] = f"({kept if clears else 's.attributes'}) || i.attributes"
    wanted = ", ".join(f"{value} AS {name}" for name, value in values.items())
    cursor.execute(_REPLACE.format(wanted=wanted), {"columns": list(plan.attributes)})


_CHANGE = """
WITH changed AS (
    UPDATE subscribers_subscriber s SET
        name = COALESCE(NULLIF(i.name, ''), s.name),
        language = COALESCE(NULLIF(i.language, ''), s.language),
        timezone = COALESCE(NULLIF(i.timezone, ''), s.timezone),
        attributes = s.attributes || i.attributes,
        tags = s.tags || ARRAY(SELECT tag FROM unnest(i.tags) AS tag WHERE tag <> ALL (s.tags))
    FROM newsdesk_import i
    WHERE s.id = i.subscriber_id AND i.outcome = 'unchanged' AND NOT (
        i.name IN ('', s.name) AND i.language IN ('', s.language) AND i.timezone IN ('', s.timezone)
        AND s.attributes @> i.attributes AND s.attributes || i.attributes = s.attributes AND s.tags @> i.tags
    )
    RETURNING s.id
)
UPDATE newsdesk_import SET outcome = 'updated' FROM changed WHERE newsdesk_import.subscriber_id = changed.id
"""

_REPLACE = """
WITH wanted AS (
    SELECT s.id, {wanted} FROM newsdesk_import i JOIN subscribers_subscriber s ON s.id = i.subscriber_id
    WHERE i.outcome = 'unchanged'
), changed AS (
    UPDATE subscribers_subscriber s
    SET name = w.name, language = w.language, timezone = w.timezone, tags = w.tags, attributes = w.attributes
    FROM wanted w WHERE s.id = w.id AND (s.name, s.language, s.timezone, s.tags, s.attributes)
        IS DISTINCT FROM (w.name, w.language, w.timezone, w.tags, w.attributes)
    RETURNING s.id
)
UPDATE newsdesk_import SET outcome = 'updated' FROM changed WHERE newsdesk_import.subscriber_id = changed.id
"""
