"""Waiting for one mailbox provider, with its own readers only: a temporary no of theirs (RFC 5321: 421, 45x) concerns their domain.

While a domain puts its readers off they stand in batches of their own (`Batch.mailbox_domain`), of which one at a time is tried
once its wait is over; readers of other domains neither wait with them nor lend them a second connection. The first reader
who is accepted ends it.
"""

import re
from collections.abc import Iterable

from django.db import connection

from tasks.database.statements import run
from tasks.throttling.back_off import back_off

#: Seconds of the longest wait of a domain; RFC 5321 §4.5.4.1 lets a mail server try again after half an hour.
LIMIT = 1800.0
#: Seconds for which deferrals that events told of count (`tasks.throttling.deferrals`).
DEFERRALS_COUNT_SECONDS = 600.0

#: A condition on ``b`` (tasks_batch): its readers' domain is not waited for, and no other batch of a domain in trouble is on its way.
MAY_BE_TRIED_SQL = """\
(b.mailbox_domain = '' OR NOT EXISTS (
    SELECT 1 FROM tasks_mailboxdomain m
     WHERE m.name = b.mailbox_domain AND m.throttled_until IS NOT NULL AND (m.throttled_until > statement_timestamp() OR EXISTS (
           SELECT 1 FROM tasks_batch f WHERE f.mailbox_domain = m.name AND f.status IN ('building', 'submitting')))))"""
#: Those that were in flight at the same time are one refusal, and so is one that is recorded twice.
_THROTTLE = """
INSERT INTO tasks_mailboxdomain (name, put_off_in_a_row, throttled_until, throttled_at, throttle_reason)
VALUES (%(name)s, 1, statement_timestamp() + make_interval(secs => %(first)s), statement_timestamp(), %(why)s)
ON CONFLICT (name) DO UPDATE SET
    put_off_in_a_row = EXCLUDED.put_off_in_a_row + CASE WHEN %(anew)s THEN 0 ELSE %(in_a_row)s END,
    throttled_until = statement_timestamp() + make_interval(secs => %(seconds)s),
    throttled_at = EXCLUDED.throttled_at,
    throttle_reason = EXCLUDED.throttle_reason
 WHERE COALESCE(tasks_mailboxdomain.throttled_until, '-infinity') <= statement_timestamp()
"""
_STATE = """
SELECT put_off_in_a_row, GREATEST(COALESCE(EXTRACT(EPOCH FROM throttled_until - statement_timestamp()), 0), 0)::float8
  FROM tasks_mailboxdomain WHERE name = %s
"""
#: A day after its wait was over a domain's readers are tried among the others again; sooner where only events tell of it, which may stay
#: away.
_FORGET = f"""
DELETE FROM tasks_mailboxdomain
 WHERE CASE WHEN counted_since IS NULL THEN throttled_until < statement_timestamp() - interval '1 day'
            ELSE GREATEST(counted_since, deferred_at) < statement_timestamp() - interval '{DEFERRALS_COUNT_SECONDS} s' END
"""  # noqa: S608 - made of constants
_IN_TROUBLE = "SELECT name FROM tasks_mailboxdomain WHERE throttled_until IS NOT NULL"
_ADDRESS = re.compile(r"\S+@\S+")


def throttle(domain: str, *, why: str, anew: bool = False) -> float:
    """Let none of the domain's readers be tried for a while, doubling with jitter for each time in a row; how many seconds.

    `why`: the server's words. `anew`: some of its readers were accepted just now.
    """
    in_a_row, left = _state(domain)
    if left:
        return left
    values: dict[str, str | bool | int | float] = {
        "name": domain,
        "why": without_addresses(why)[:300],
        "anew": anew,
        "in_a_row": min(in_a_row, 1000),
        "first": back_off(1),
        "seconds": back_off(1 if anew else in_a_row + 1, limit=LIMIT),
    }
    with connection.cursor() as cursor:
        cursor.execute(_THROTTLE, values)
    return _state(domain)[1]


def prolong(domain: str, *, why: str) -> None:
    """As `throttle`, for a domain that is in trouble already; nothing for any other."""
    if _state(domain)[0]:
        throttle(domain, why=why)


def recovered(domain: str) -> None:
    """One of its readers was accepted: its batches are batches as any. Not of one that events tell of: its provider accepts everybody."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM tasks_mailboxdomain WHERE name = %s AND counted_since IS NULL", [domain])


def forget_old() -> None:
    """Let go of domains of which nothing was heard for long; every few seconds."""
    run(_FORGET, ())


def in_trouble() -> frozenset[str]:
    """Domains whose readers stand in batches of their own."""
    return frozenset(name for (name,) in run(_IN_TROUBLE, ()))


def domain_of(address: str) -> str:
    """The domain of an address as it is stored (`subscribers.addresses`): ASCII; in lower case."""
    return address.rpartition("@")[2].lower()


def without_addresses(words: str) -> str:
    """A server's words without those of its words that are addresses."""
    return _ADDRESS.sub("…", words)


def _state(domain: str) -> tuple[int, float]:
    """How often in a row, and the seconds that are left."""
    rows = run(_STATE, (domain,))
    return (rows[0][0], rows[0][1]) if rows else (0, 0.0)


def by_domain(members: Iterable[tuple[int, str]], domains: frozenset[str]) -> dict[str, tuple[int, ...]]:
    """Ids of those whose address is at one of the domains, by domain. `members`: (id, address)."""
    found: dict[str, list[int]] = {}
    for member, address in members:
        if (domain := domain_of(address)) in domains:
            found.setdefault(domain, []).append(member)
    return {domain: tuple(ids) for domain, ids in found.items()}
