"""Segment rules on what readers did with a publication's mails, as SQL over deliveries and events.

Whoever opened or clicked is known from the bits of the delivery, in which what machines did does not count. A rule's days are
counted from when a mail's audience was prepared. Every condition is an EXISTS over sends that are looked up first and written into
it: PostgreSQL then reads the partitions of those sends only, makes one set of readers of it, or looks each reader up by a key.
"""

from collections.abc import Sequence

from django.db import connection

from subscribers.segments import Leaf, compare_text
from subscribers.sql import SqlCondition, join
from tasks.models import Batch, Delivery
from tasks.providers.events import EventKind

_SENDS = """SELECT send.id FROM tasks_send send JOIN composer_edition edition ON edition.id = send.edition_id
             WHERE edition.publication_id = %s AND send.prepared_at IS NOT NULL"""
_LAST_EDITIONS = f"""{_SENDS} AND send.edition_id IN (
    SELECT send.edition_id FROM tasks_send send JOIN composer_edition edition ON edition.id = send.edition_id
     WHERE edition.publication_id = %s AND send.prepared_at IS NOT NULL
     GROUP BY send.edition_id ORDER BY max(send.prepared_at) DESC LIMIT %s)"""  # noqa: S608 - made of constants, like the others here
_LAST_DAYS = f"{_SENDS} AND send.prepared_at > now() - make_interval(hours => %s)"
_TESTS = {
    "opened": f"({Delivery.Seen.OPENED.sql('d.seen')} OR {Delivery.Seen.CLICKED.sql('d.seen')})",
    "clicked": Delivery.Seen.CLICKED.sql("d.seen"),
    "received": f"""EXISTS (SELECT 1 FROM tasks_batch b WHERE b.id = d.batch_id
                            AND b.status = '{Batch.Status.SUBMITTED}')
        AND NOT {Delivery.Seen.BOUNCED.sql("d.seen")} AND NOT {Delivery.Seen.DROPPED.sql("d.seen")}
        AND NOT EXISTS (SELECT 1 FROM tasks_exclusion x
                         WHERE x.send_id = d.send_id AND x.subscriber_id = d.subscriber_id)""",  # noqa: S608
}
_FOLLOWED = f"e.kind = '{EventKind.CLICKED}' AND NOT e.machine"
_SOURCES = (
    "SELECT story.source_url FROM composer_story story WHERE story.publication_id = %s AND story.source_url <> ''"
)
_TOPICS = "lower(btrim(topic))"


def engagement(leaf: Leaf, publication_id: int) -> SqlCondition:
    """The condition over ``s`` for a comparison of what a reader received, opened or clicked."""
    if leaf.field in _TESTS:
        sql = (
            "EXISTS (SELECT 1 FROM tasks_delivery d WHERE d.send_id = ANY(%s::bigint[]) "  # noqa: S608 - made of constants
            f"AND d.subscriber_id = s.id AND {_TESTS[leaf.field]})"
        )
        return SqlCondition(sql, (_ids(_sends(leaf, publication_id)),))
    return _clicked(_link(leaf, publication_id), publication_id)


def _sends(leaf: Leaf, publication_id: int) -> SqlCondition:
    if leaf.op == "within_editions":
        return SqlCondition(_LAST_EDITIONS, (publication_id, publication_id, leaf.value))
    if leaf.op == "within_days":
        assert isinstance(leaf.value, int)
        return SqlCondition(_LAST_DAYS, (publication_id, 24 * leaf.value))
    return SqlCondition(_SENDS, (publication_id,))


def _ids(sends: SqlCondition) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(sends.sql, sends.params)
        return sorted(send_id for (send_id,) in cursor.fetchall())


def _clicked(link: SqlCondition, publication_id: int) -> SqlCondition:
    head = SqlCondition(
        "EXISTS (SELECT 1 FROM tasks_event e WHERE e.send_id = ANY(%s::bigint[]) "  # noqa: S608 - made of constants
        f"AND e.subscriber_id = s.id AND {_FOLLOWED} AND ",
        (_ids(SqlCondition(_SENDS, (publication_id,))),),
    )
    return join("", [head, link, SqlCondition(")")])


def _link(leaf: Leaf, publication_id: int) -> SqlCondition:
    """A condition on the address of a click."""
    if leaf.field == "clicked_link":
        return compare_text(leaf, "e.url")
    assert isinstance(leaf.value, tuple)
    if leaf.field == "clicked_story":
        stories = SqlCondition(f"{_SOURCES} AND story.id = ANY(%s::bigint[])", (publication_id, list(leaf.value)))
    else:
        topics: Sequence[str] = [str(topic).strip() for topic in leaf.value]
        wanted = ", ".join(["lower(%s::text)"] * len(topics))
        stories = SqlCondition(
            f"{_SOURCES} AND EXISTS (SELECT 1 FROM unnest(string_to_array(story.topics, ',')) AS topic "  # noqa: S608
            f"WHERE {_TOPICS} = ANY(ARRAY[{wanted}]))",
            (publication_id, *topics),
        )
    return join("", [SqlCondition("e.url = ANY(ARRAY("), stories, SqlCondition("))")])
