"""What a file says of tracking: each reader's answer, when and to which words. It is kept apart from every subscription.

A refusal holds over a yes, unless the yes is dated later; a yes takes the place of a refusal only if it is.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from subscribers.importing.dates import earliest_iso_date, is_blank, iso_date
from subscribers.importing.errors import shown
from subscribers.importing.presets.preset import folded
from subscribers.importing.yes_and_no import NO, YES

_GRANTED = YES | {"granted", "agreed", "allowed", "accepted", "opted_in", "opt_in", "consented"}
_DENIED = NO - {"null"} | {"denied", "refused", "declined", "not_allowed", "opted_out", "opt_out", "withdrawn"}
_UNKNOWN = {"unknown", "unspecified", "unsure", "not_asked", "not_set", "null", "none"}
_MAX_WORDING = 5000


class Answer(NamedTuple):
    #: "granted", "denied", or "" where nothing was said.
    said: str
    #: ISO 8601.
    at: str | None = None
    source: str = ""
    wording: str = ""
    #: The earliest moment that the date of a yes can mean, where no zone stands there.
    earliest: str | None = None


NONE = Answer("")


def read(cell: Callable[[str], str], line: int, *, until: str, warn: Callable[[int, str], None]) -> Answer:
    """The answer in a row; `cell` gives the text of a field, `until` is now. What is not understood is none, with a warning."""
    word = folded(cell("tracking"))
    if not word or word in _UNKNOWN:
        return NONE
    if word not in _GRANTED and word not in _DENIED:
        warn(line, f"tracking: {shown(cell('tracking'))} is neither granted nor denied; taken for not asked")
        return NONE
    text = cell("tracking_at")
    at = None if is_blank(text) else iso_date(text)
    if not is_blank(text) and (at is None or at > until):
        warn(line, f"the date of the answer on tracking {shown(text)} is not understood, and taken for unknown")
        at = None
    return Answer(
        "granted" if word in _GRANTED else "denied",
        at,
        cell("tracking_source")[:200],
        cell("tracking_wording")[:_MAX_WORDING],
        earliest_iso_date(text) if at and word in _GRANTED else None,
    )


def apply(cursor: Any, source: str) -> None:
    """Once the staged rows know their readers. `source`: as for consents."""
    cursor.execute(_APPLY, {"source": source})


STAGED = "tracking, tracking_at, tracking_source, tracking_wording, tracking_earliest"
STAGE = """,
    tracking text NOT NULL DEFAULT '',
    tracking_at timestamptz,
    tracking_source text NOT NULL DEFAULT '',
    tracking_wording text NOT NULL DEFAULT '',
    tracking_earliest timestamptz
"""
# Of several rows with one address, a no holds.
MERGE_DOUBLE = """
UPDATE newsdesk_import i SET tracking = 'denied', tracking_at = denied.at, tracking_earliest = NULL
FROM (SELECT address, max(tracking_at) AS at FROM newsdesk_import WHERE tracking = 'denied' GROUP BY address) denied
WHERE denied.address = i.address AND i.tracking <> 'denied'
"""
_APPLY = """
WITH changed AS (
    UPDATE subscribers_subscriber s SET tracking = i.tracking
    FROM newsdesk_import i
    WHERE s.id = i.subscriber_id AND i.tracking NOT IN ('', s.tracking) AND (
        s.tracking = 'unknown' OR (i.tracking = 'denied' AND i.tracking_at IS NULL)
        OR COALESCE(i.tracking_earliest, i.tracking_at) > (SELECT max(t.at) FROM subscribers_trackinganswer t WHERE t.subscriber_id = i.subscriber_id)
    )
    RETURNING s.id
), proof AS (
    INSERT INTO subscribers_trackinganswer (subscriber_id, answer, source, wording, at)
    SELECT i.subscriber_id, i.tracking, COALESCE(NULLIF(i.tracking_source, ''), %(source)s), i.tracking_wording,
        COALESCE(i.tracking_at, now())
    FROM newsdesk_import i JOIN changed ON changed.id = i.subscriber_id
)
UPDATE newsdesk_import SET outcome = 'updated'
FROM changed WHERE newsdesk_import.subscriber_id = changed.id AND outcome = 'unchanged'
"""
