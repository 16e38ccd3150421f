"""Who would receive a send and who would not, and why: one predicate for preparation and for every later recheck.

Both callers get the same columns and the same reasons; only the way to them differs. Without a restriction they are sets
(hash joins over a million subscribers, whose rows are read only where a rule asks for them); with one they are looked up
reader by reader, so that a batch of a thousand never scans a table.
"""

from collections.abc import Mapping, Sequence

from subscribers import erased
from subscribers.segments import TRUE, Rule, Scope, condition, parse
from subscribers.sql import SqlCondition, join

#: The first that applies is the reason. "unconfirmed" comes from subscriptions, "unsubscribed" from either, the others from suppressions.
REASONS = (
    "erased",
    "complaint",
    "hard_bounce",
    "invalid",
    "manual",
    "unsubscribed",
    "unconfirmed",
    "soft_bounce",
    "sunset",
)

_SUPPRESSIONS = f"ARRAY[{', '.join(repr(reason) for reason in REASONS)}]"
_UNSUBSCRIBED = REASONS.index("unsubscribed") + 1
_RANK = f"array_position({_SUPPRESSIONS}, x.reason::text)"
_SCOPE = "(x.publication_id IS NULL OR x.publication_id = %s)"
#: A domain is suppressed as "@example.com"; `LIKE` is the condition of its index.
_IS_DOMAIN = "address LIKE '@%%'"
_ANY_DOMAIN = f"EXISTS (SELECT 1 FROM subscribers_suppression WHERE {_IS_DOMAIN})"  # noqa: S608 - made of constants
_DOMAIN = "'@' || split_part(lower(s.email), '@', 2)"
_REASON = f"""\
CASE WHEN suppressed.rank <= {_UNSUBSCRIBED} THEN ({_SUPPRESSIONS})[suppressed.rank]
     WHEN NOT member.active THEN CASE WHEN member.unsubscribed THEN 'unsubscribed' ELSE 'unconfirmed' END
     ELSE ({_SUPPRESSIONS})[suppressed.rank] END AS reason"""
_STATUSES = "bool_or(n.status = 'active') AS active, bool_or(n.status = 'unsubscribed') AS unsubscribed"


def audience(
    list_ids: Sequence[int],
    *,
    publication_id: int,
    rule: Rule | Mapping[str, object] | None = None,
    restrict: SqlCondition | None = None,
    also: Sequence[str] = (),
) -> SqlCondition:
    """A SELECT of ``subscriber_id, reason`` with one row for every candidate; reason NULL = deliverable.

    A candidate has any subscription on the lists and matches the rule. `restrict` is a condition over ``s``
    (subscribers_subscriber), for example ``s.id = ANY(%s)``: whoever is outside it, no longer exists, or has stopped
    being a candidate has no row. `also` names columns of ``s`` to select beside those, with a restriction only.

    Raises RuleError when the rule is not one.
    """
    conditions = [restrict] if restrict is not None else []
    if rule is not None:
        scope = Scope(publication_id=publication_id, list_ids=list_ids)
        matches = condition(rule if isinstance(rule, Rule) else parse(rule), scope)
        conditions.extend([] if matches == TRUE else [matches if restrict is not None else _guessed_of_half(matches)])
    if restrict is not None:
        source = _as_lookups(list(list_ids), publication_id, also)
    else:
        source = _as_sets(list(list_ids), publication_id, reads_subscribers=bool(conditions))
    return join("\n", [source, _where(conditions)])


def _where(conditions: list[SqlCondition]) -> SqlCondition:
    if not conditions:
        return SqlCondition("")
    return join("", [SqlCondition("WHERE ("), join(")\n  AND (", conditions), SqlCondition(")")])


def _as_lookups(list_ids: list[int], publication_id: int, also: Sequence[str]) -> SqlCondition:
    member, members = _looked_up(list_ids)
    columns = "".join(f", s.{column}" for column in also)
    # Hashing is not free: it is done only where an erased address exists at all.
    forms = erased.sql_forms("lower(s.email)")
    hashed = "".join(f"CASE WHEN {exist} THEN {form} END, " for form, exist in forms)
    sql = f"""\
SELECT s.id AS subscriber_id, {_REASON}{columns}
FROM subscribers_subscriber s
JOIN {member}
LEFT JOIN LATERAL (
    SELECT min({_RANK}) AS rank FROM subscribers_suppression x
    WHERE x.address = ANY(ARRAY[lower(s.email), {hashed}CASE WHEN {_ANY_DOMAIN} THEN {_DOMAIN} END]) AND {_SCOPE}
) suppressed ON true"""  # noqa: S608 - made of constants, like the others here
    return SqlCondition(sql, (*members, *_params(forms), publication_id))


def _guessed_of_half(matches: SqlCondition) -> SqlCondition:
    """The same condition, of which PostgreSQL guesses that it is true of every other reader, as of any CASE.

    Left to itself it multiplies its guesses for each comparison, and makes joins of a rule's questions, so that it believes of "never opened"
    or of three attributes that one reader in all is left. What stands beside them, such as the set of the suppressed, would then be worked
    out anew for each of those whom it did not expect.
    """
    return SqlCondition(f"CASE WHEN {matches.sql} THEN TRUE ELSE FALSE END", matches.params)


def _params(forms: Sequence[tuple[SqlCondition, str]]) -> list[object]:
    return [param for form, _ in forms for param in form.params]


def _looked_up(list_ids: list[int]) -> tuple[str, tuple[object, ...]]:
    """A reader's place on the lists. On a single list nobody is there twice, and nothing has to be grouped."""
    if len(list_ids) == 1:
        one = (
            "(SELECT subscriber_id, status = 'active' AS active, status = 'unsubscribed' AS unsubscribed "
            "FROM subscribers_subscription WHERE list_id = %s) member ON member.subscriber_id = s.id"
        )
        return one, (list_ids[0],)
    several = (
        f"LATERAL (SELECT {_STATUSES} FROM subscribers_subscription n "  # noqa: S608
        "WHERE n.subscriber_id = s.id AND n.list_id = ANY(%s::bigint[]) HAVING count(*) > 0) member ON true"
    )
    return several, (list_ids,)


def _as_sets(list_ids: list[int], publication_id: int, *, reads_subscribers: bool) -> SqlCondition:
    member, members = _members(list_ids)
    subscribers = "JOIN subscribers_subscriber s ON s.id = member.subscriber_id" if reads_subscribers else ""
    forms = erased.sql_forms("lower(s.email)")
    # One branch a form: PostgreSQL looks at no reader where no row of it exists.
    hashed = "\n".join(
        f"UNION ALL SELECT s.id, {_RANK} FROM subscribers_suppression x JOIN subscribers_subscriber s "  # noqa: S608
        f"ON {form} = x.address WHERE x.reason = 'erased' AND {exist}"
        for form, exist in forms
    )
    sql = f"""\
SELECT member.subscriber_id, {_REASON}
FROM ({member}) member
{subscribers}
LEFT JOIN (
    SELECT subscriber_id, min(rank) AS rank FROM (
        SELECT s.id AS subscriber_id, {_RANK} AS rank
        FROM subscribers_suppression x JOIN subscribers_subscriber s ON lower(s.email) = x.address WHERE {_SCOPE}
        {hashed}
        UNION ALL
        SELECT s.id, {_RANK} FROM subscribers_suppression x JOIN subscribers_subscriber s ON {_DOMAIN} = x.address
        WHERE x.{_IS_DOMAIN} AND {_ANY_DOMAIN} AND {_SCOPE}
    ) each_suppression GROUP BY subscriber_id
) suppressed ON suppressed.subscriber_id = member.subscriber_id"""  # noqa: S608
    return SqlCondition(sql, (*members, publication_id, *_params(forms), publication_id))


def _members(list_ids: list[int]) -> tuple[str, tuple[object, ...]]:
    """Everyone on the lists, once. On a single list nobody is there twice, and nothing has to be grouped."""
    if len(list_ids) == 1:
        one = (
            "SELECT n.subscriber_id, n.status = 'active' AS active, n.status = 'unsubscribed' AS unsubscribed "
            "FROM subscribers_subscription n WHERE n.list_id = %s"
        )
        return one, (list_ids[0],)
    several = (
        f"SELECT n.subscriber_id, {_STATUSES} FROM subscribers_subscription n "  # noqa: S608
        "WHERE n.list_id = ANY(%s::bigint[]) GROUP BY n.subscriber_id"
    )
    return several, (list_ids,)
