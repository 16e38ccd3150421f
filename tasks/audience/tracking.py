"""Who of a send's readers is tracked, as SQL for freezing.

What the provider reports belongs to a whole request, so batches are cut by it. The terms are those that were approved; a
reader's answer is the one of the moment, and is asked again when each batch is built (`tasks.submission.building`).
"""

from dataclasses import dataclass

from django.db.backends.utils import CursorWrapper

from subscribers.models import Subscriber
from tasks.models import Send

_ANY = "SELECT EXISTS (SELECT 1 FROM subscribers_subscriber WHERE tracking = '{}')"
#: Those who said so, 64 neighbours to a number: it is read off their index, and a million readers are looked up in a table that stays in the
#: processor's caches. To join them one by one takes twice as long.
_WHO = """
LEFT JOIN (SELECT id >> 6 AS word, bit_or(1::bigint << (id & 63)::int) AS bits FROM subscribers_subscriber WHERE tracking = '{}' GROUP BY 1) said
       ON said.word = a.subscriber_id >> 6
"""
_SAID_SO = "COALESCE(said.bits >> (a.subscriber_id & 63)::int & 1 = 1, false)"
#: Where the audience is some few, each is looked up.
_WHO_OF_FEW = "LEFT JOIN subscribers_subscriber said ON said.id = a.subscriber_id AND said.tracking = '{}'"
_ONE_SAID_SO = "said.id IS NOT NULL"
_GRANTED, _DENIED = Subscriber.Tracking.GRANTED.value, Subscriber.Tracking.DENIED.value


@dataclass(frozen=True, kw_only=True)
class Tracked:
    """`sql` is true of who is tracked; it may name the table of `join`, which joins to `a` (a row of the audience)."""

    sql: str
    join: str = ""

    @property
    def differs(self) -> bool:
        """Whether it may be true of some and false of others."""
        return bool(self.join)


NOBODY = Tracked(sql="false")
EVERYBODY = Tracked(sql="true")


def tracked_readers(cursor: CursorWrapper, send: Send) -> Tracked:
    """By the terms of the send's approval. Where nobody said anything that matters, no reader is looked at."""
    request = send.approval.request
    # Approvals from before it was frozen have neither; then nobody is tracked who did not agree.
    if not request.get("tracking", send.edition.publication.tracking):
        return NOBODY
    who, said_so = (_WHO_OF_FEW, _ONE_SAID_SO) if send.in_place_of_id else (_WHO, _SAID_SO)
    if request.get("track_unknown", False):
        return Tracked(sql=f"NOT ({said_so})", join=who.format(_DENIED)) if _any(cursor, _DENIED) else EVERYBODY
    return Tracked(sql=said_so, join=who.format(_GRANTED)) if _any(cursor, _GRANTED) else NOBODY


def _any(cursor: CursorWrapper, answer: str) -> bool:
    cursor.execute(_ANY.format(answer))
    return bool(cursor.fetchone()[0])
