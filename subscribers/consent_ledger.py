"""The consent ledger's chain: any change, deletion or insertion of a consent is found.

Every statement that adds consents is sealed as a whole by a trigger (an import of a million has one seal), and the seals are
joined to a chain, each holding the hash of the one before. A person is not part of what is hashed, and of the words only
their hash is: so a person can be erased, and two records of one person merged, without breaking it.
"""

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.db import connection, transaction

from newsdesk.core.advisory_locks import AdvisoryLock, lock_for_transaction
from subscribers.models import ConsentSeal

#: Of which the first link is made.
_BEGINNING = bytes(32)
_AT_ONCE = 500
_MOST_PROBLEMS = 100
_CONTENT = """
SELECT count(*), subscribers_consent_content(%s::bigint[], %s::bigint[]) FROM unnest(%s::bigint[], %s::bigint[]) AS r (first, last)
  JOIN subscribers_consent c ON c.id BETWEEN r.first AND r.last
"""
_UNSEALED = """
SELECT c.id FROM subscribers_consent c
 WHERE NOT EXISTS (SELECT 1 FROM subscribers_consentseal s, unnest(s.firsts, s.lasts) AS r (first, last)
                    WHERE c.id BETWEEN r.first AND r.last)
 ORDER BY c.id LIMIT %s
"""


@dataclass(frozen=True, kw_only=True)
class Verified:
    consents: int
    seals: int
    #: The last link in hexadecimal; note it elsewhere, and later say that it must still be there.
    head: str
    #: What is not as it was written; empty where all is.
    problems: list[str] = field(default_factory=list)


@transaction.atomic
def join_seals() -> int:
    """Join the seals that are not in the chain yet; how many. Callers wait for each other."""
    with connection.cursor() as cursor:
        lock_for_transaction(cursor, AdvisoryLock.CONSENT_CHAIN)
    last = ConsentSeal.objects.filter(position__isnull=False).order_by("-position").first()
    position, link = (last.position or 0, bytes(last.link or b"")) if last else (0, _BEGINNING)
    number = 0
    for number, seal in enumerate(ConsentSeal.objects.filter(position__isnull=True).order_by("pk"), start=1):
        seal.position = position + number
        link = _link(link, seal)
        seal.link = link
        seal.save(update_fields=["position", "link"])
    return number


def verify(*, expected: str = "") -> Verified:
    """Look at every consent and every link. `expected`: a head noted earlier, which must still be in the chain.

    Reads the whole ledger once.
    """
    join_seals()
    with transaction.atomic():
        if not connection.savepoint_ids:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        return _verify(expected.strip().lower())


def _verify(expected: str) -> Verified:
    problems: list[str] = []
    link, position, covered, found_expected = _BEGINNING, 0, 0, not expected
    chain = ConsentSeal.objects.filter(position__isnull=False).order_by("position")
    for seal in chain.iterator(_AT_ONCE):
        position += 1
        if seal.position != position:
            problems.append(f"links {position} to {(seal.position or 0) - 1} are missing")
            position = seal.position or position
        link = _link(link, seal)
        if link != bytes(seal.link or b""):
            problems.append(f"link {position}: its seal, or one before it, was changed")
            link = bytes(seal.link or b"")
        found_expected = found_expected or link.hex() == expected
        covered += seal.rows
        problems += _problems_of(seal)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM subscribers_consent")
        consents = int(cursor.fetchone()[0])
        # Whoever joins seals meanwhile is not in this snapshot, and their consents are not either.
        cursor.execute("SELECT COALESCE(sum(rows), 0) FROM subscribers_consentseal WHERE position IS NULL")
        covered += int(cursor.fetchone()[0])
        if consents != covered:
            cursor.execute(_UNSEALED, [_MOST_PROBLEMS])
            problems += [f"consent {pk} was added past the seals" for (pk,) in cursor.fetchall()]
    if not found_expected:
        problems.append(f"the expected link {expected} is not in the chain: the ledger's end was cut off")
    return Verified(consents=consents, seals=position, head=link.hex(), problems=problems)


def _problems_of(seal: ConsentSeal) -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute(_CONTENT, [seal.firsts, seal.lasts, seal.firsts, seal.lasts])
        rows, content = cursor.fetchone()
    where = f"consents {min(seal.firsts)} to {max(seal.lasts)} (seal {seal.pk}, {seal.at:%Y-%m-%d %H:%M} UTC)"
    if rows != seal.rows:
        yield f"{where}: {seal.rows} were written, {rows} are there"
    elif bytes(content) != bytes(seal.content):
        yield f"{where}: one was changed"


def _link(before: bytes, seal: ConsentSeal) -> bytes:
    """SHA-256 over the link before, and everything of this one."""
    hashed = hashlib.sha256(before)
    moment = int(seal.at.timestamp() * 1_000_000)
    hashed.update(struct.pack(">qqqq", seal.position or 0, seal.pk, seal.rows, moment))
    for first, last in zip(seal.firsts, seal.lasts, strict=True):
        hashed.update(struct.pack(">qq", first, last))
    hashed.update(bytes(seal.content))
    return hashed.digest()
