"""Readers as a file: made by PostgreSQL and passed on as it comes, so that a million take no more memory than ten.

What is written is read back by an import without a change (`subscribers.interchange`). Nobody who was erased is in it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from django.db import connection
from psycopg import ClientCursor

from subscribers.audience import audience
from subscribers.interchange import COLUMNS, FORMULA, LEFT_LIST, WORDS

FORMATS = ("csv", "jsonl")

#: One row a reader: the worst that is known of them, as `subscribers.audience` decides it, and the latest yes.
_READERS = f"""
SELECT s.email, s.name, s.language, s.timezone, s.tags, s.attributes,
       CASE WHEN a.reason IS NULL THEN 'active'
            WHEN a.reason = 'unconfirmed' THEN 'pending'
            WHEN a.reason = 'unsubscribed' AND NOT left_all.found THEN '{LEFT_LIST}'
            ELSE a.reason END AS status,
       member.since, CASE WHEN a.reason = 'unsubscribed' THEN member.left_at END AS left_at,
       given.at AS consent_at, given.source AS consent_source, given.wording AS consent_wording,
       s.tracking, answered.at AS tracking_at, answered.source AS tracking_source, answered.wording AS tracking_wording,
       member.lists, s.id
  FROM audience a
  JOIN subscribers_subscriber s ON s.id = a.subscriber_id
  CROSS JOIN LATERAL (
    SELECT min(n.subscribed_at) AS since, max(n.changed_at) FILTER (WHERE n.status = 'unsubscribed') AS left_at,
           string_agg(l.slug || '=' || n.status, ';' ORDER BY l.slug) AS lists
      FROM subscribers_subscription n JOIN subscribers_list l ON l.id = n.list_id
     WHERE n.subscriber_id = s.id AND n.list_id = ANY(%s::bigint[])
  ) member
  CROSS JOIN LATERAL (
    SELECT EXISTS (SELECT 1 FROM subscribers_suppression x
                    WHERE x.address = lower(s.email) AND x.reason = 'unsubscribed' AND x.publication_id = %s) AS found
  ) left_all
  LEFT JOIN LATERAL (
    SELECT c.at, c.source, c.wording FROM subscribers_consent c
     WHERE c.subscriber_id = s.id AND c.list_id = ANY(%s::bigint[]) AND c.kind = 'given'
     ORDER BY c.at DESC, c.id DESC LIMIT 1
  ) given ON true
  LEFT JOIN LATERAL (
    SELECT t.at, t.source, t.wording FROM subscribers_trackinganswer t
     WHERE s.tracking <> 'unknown' AND t.subscriber_id = s.id ORDER BY t.at DESC, t.id DESC LIMIT 1
  ) answered ON true
 WHERE a.reason IS DISTINCT FROM 'erased'
"""  # noqa: S608 - made of constants
_TIME = "to_char({0} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
_ONE_LINE = r"replace(replace(replace({0}, '\', '\\'), E'\n', '\n'), E'\r', '\r')"
_DEFUSED = f"CASE WHEN {{0}} ~ E'{FORMULA.replace(chr(39), chr(39) * 2)}' THEN '''' || {{0}} ELSE {{0}} END"
_TIMES = {"since", "left_at", "consent_at", "tracking_at"}
_JSON = {"tags", "attributes"}
#: A quote and a separator that no JSON text holds: each row is one line, as it is.
_AS_LINES = r"FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02'"


def write(
    out: Callable[[bytes], object],
    *,
    publication_id: int,
    list_ids: Sequence[int],
    rule: Mapping[str, object] | None = None,
    form: str = "csv",
) -> int:
    """Pass everyone with any subscription on the lists, and of whom the rule is true, to `out`; the number of readers.

    `form` is one of FORMATS; UTF-8, in pieces of no fixed size. With several lists there is a column `lists` more. Raises
    RuleError.
    """
    lists = list(list_ids)
    chosen = audience(lists, publication_id=publication_id, rule=rule)
    columns = (*COLUMNS, "lists") if len(lists) > 1 else COLUMNS
    readers = f"WITH audience AS ({chosen.sql}), readers AS ({_READERS})"
    params = (*chosen.params, lists, publication_id, lists)
    connection.ensure_connection()
    with connection.wrap_database_errors, ClientCursor(connection.connection) as cursor:
        statement = cursor.mogrify(f"{readers} {_selected(columns, form)} ORDER BY r.id", params)
        options = "FORMAT csv, HEADER" if form == "csv" else _AS_LINES
        with cursor.copy(cast("Any", f"COPY ({statement}) TO STDOUT WITH ({options})")) as copy:
            for piece in copy:
                out(bytes(piece))
        return int(cursor.rowcount)


def _selected(columns: Sequence[str], form: str) -> str:
    if form == "csv":
        return f"SELECT {', '.join(f'{_cell(name)} AS {name}' for name in columns)} FROM readers r"  # noqa: S608
    pairs = ", ".join(f"'{name}', {_TIME.format(f'r.{name}') if name in _TIMES else f'r.{name}'}" for name in columns)
    return f"SELECT json_build_object({pairs})::text FROM readers r"  # noqa: S608


def _cell(name: str) -> str:
    column = f"r.{name}"
    if name in _TIMES:
        return _TIME.format(column)
    if name in _JSON:
        # No JSON begins like a formula.
        return f"to_jsonb({column})::text"
    return _DEFUSED.format(_ONE_LINE.format(column) if name.startswith(WORDS) else column)
