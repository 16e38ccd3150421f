"""Who would receive a send and who would not, and why: one predicate for preparation and for every later recheck.

Both callers get the same SELECT; only its joins differ. Without a restriction they are sets (hash joins over a million
subscribers); with one they are looked up reader by reader, so that a batch of a thousand never scans a table.
"""

from collections.abc import Mapping, Sequence

from subscribers.segments import Rule, condition, parse
from subscribers.sql import SqlCondition, join

#: The first that applies is the reason; the last two come from subscriptions, the others from suppressions.
REASONS = ("erased", "complaint", "hard_bounce", "invalid", "manual", "unsubscribed", "unconfirmed")
SUPPRESSION_REASONS = REASONS[:6]

_RANK = f"array_position(ARRAY[{', '.join(repr(reason) for reason in SUPPRESSION_REASONS)}], x.reason::text)"
#: The hash is computed only where an erased address exists at all: over a million rows it is not free.
_HASHED = (
    "CASE WHEN EXISTS (SELECT 1 FROM subscribers_suppression WHERE reason = 'erased') "
    "THEN 'sha256:' || encode(sha256(convert_to(lower(s.email), 'UTF8')), 'hex') END"
)
_SCOPE = "(x.publication_id IS NULL OR x.publication_id = %s)"

#: Text, or NULL when nothing suppresses the subscriber ``s``; valid beside `suppression_join`.
SUPPRESSION_REASON = (
    f"(ARRAY[{', '.join(repr(reason) for reason in SUPPRESSION_REASONS)}])[LEAST(suppressed.rank, erased.rank)]"
)


def suppression_join(publication_id: int, *, lookup: bool = False) -> SqlCondition:
    """The joins behind SUPPRESSION_REASON, to follow ``FROM subscribers_subscriber s``.

    `lookup` reads the index once for each subscriber instead of aggregating the table: right for a batch.
    """
    if lookup:
        one = f"LEFT JOIN LATERAL (SELECT min({_RANK}) AS rank FROM subscribers_suppression x WHERE x.address = "  # noqa: S608
        sql = f"{one}lower(s.email) AND {_SCOPE}) suppressed ON true\n{one}{_HASHED} AND {_SCOPE}) erased ON true"
    else:
        every = (
            f"LEFT JOIN (SELECT x.address, min({_RANK}) AS rank FROM subscribers_suppression x "  # noqa: S608
            f"WHERE {_SCOPE} GROUP BY x.address)"
        )
        sql = f"{every} suppressed ON suppressed.address = lower(s.email)\n{every} erased ON erased.address = {_HASHED}"
    return SqlCondition(sql, (publication_id, publication_id))


def audience(
    list_ids: Sequence[int],
    *,
    publication_id: int,
    rule: Rule | Mapping[str, object] | None = None,
    restrict: SqlCondition | None = None,
) -> SqlCondition:
    """A SELECT of ``subscriber_id, reason`` with one row for every candidate; reason NULL = deliverable.

    A candidate has any subscription on the lists and matches the rule. `restrict` is a condition over ``s``
    (subscribers_subscriber), for example ``s.id = ANY(%s)``: whoever is outside it, no longer exists, or has stopped
    being a candidate has no row.

    Raises RuleError when the rule is not one.
    """
    parts = [
        SqlCondition(_SELECT),
        _membership(list_ids, lookup=restrict is not None),
        suppression_join(publication_id, lookup=restrict is not None),
        _where(list_ids, rule, restrict),
    ]
    return join("\n", parts)


_SELECT = f"""\
SELECT s.id AS subscriber_id, COALESCE({SUPPRESSION_REASON},
    CASE WHEN member.active THEN NULL WHEN member.unsubscribed THEN 'unsubscribed' ELSE 'unconfirmed' END) AS reason
FROM subscribers_subscriber s"""  # noqa: S608 - made of constants, like the others here


def _membership(list_ids: Sequence[int], *, lookup: bool) -> SqlCondition:
    ids = list(list_ids)
    if lookup:
        return SqlCondition(
            "JOIN LATERAL (SELECT bool_or(n.status = 'active') AS active, "
            "bool_or(n.status = 'unsubscribed') AS unsubscribed FROM subscribers_subscription n "
            "WHERE n.subscriber_id = s.id AND n.list_id = ANY(%s::bigint[]) HAVING count(*) > 0) member ON true",
            (ids,),
        )
    if len(ids) == 1:
        return SqlCondition(
            "JOIN (SELECT n.subscriber_id, n.status = 'active' AS active, n.status = 'unsubscribed' AS unsubscribed "
            "FROM subscribers_subscription n WHERE n.list_id = %s) member ON member.subscriber_id = s.id",
            (ids[0],),
        )
    return SqlCondition(
        "JOIN (SELECT n.subscriber_id, bool_or(n.status = 'active') AS active, "
        "bool_or(n.status = 'unsubscribed') AS unsubscribed FROM subscribers_subscription n "
        "WHERE n.list_id = ANY(%s::bigint[]) GROUP BY n.subscriber_id) member ON member.subscriber_id = s.id",
        (ids,),
    )


def _where(
    list_ids: Sequence[int], rule: Rule | Mapping[str, object] | None, restrict: SqlCondition | None
) -> SqlCondition:
    conditions = [restrict] if restrict is not None else []
    if rule is not None:
        conditions.append(condition(rule if isinstance(rule, Rule) else parse(rule), list_ids=list_ids))
    if not conditions:
        return SqlCondition("")
    return join("", [SqlCondition("WHERE ("), join(")\n  AND (", conditions), SqlCondition(")")])
