"""Suppressions of which only a hash is known, made true of addresses that have it.

Other services export people who must not be known as hashes. PostgreSQL cannot compute all of them, and a million at each send
would be dear: so an address is looked up once, when the hash or the address comes in, and suppressed by itself from then on.
The hash stays, for those who come later.
"""

from collections.abc import Iterable
from itertools import islice

from django.db import connection

from subscribers.address_forms import hashed
from subscribers.models import Suppression
from subscribers.suppression import SuppressionRequest, suppress_many, unsubscribe_addresses

_CHUNK = 5000
_EXIST = """
SELECT EXISTS (SELECT 1 FROM subscribers_suppression
                WHERE address LIKE 'md5:%' OR address LIKE 'sha1:%' OR (address LIKE 'sha256:%' AND reason <> 'erased'))
"""


def exist() -> bool:
    """Whether any hash but those of erased readers is suppressed."""
    with connection.cursor() as cursor:
        cursor.execute(_EXIST)
        return bool(cursor.fetchone()[0])


def resolve(addresses: Iterable[str]) -> int:
    """Suppress those of the addresses whose hash is suppressed, for the same reason; the number of new suppressions."""
    found = 0
    rest = iter(addresses)
    while chunk := list(islice(rest, _CHUNK)):
        by_hash = {digest: address for address in chunk for digest in hashed(address)}
        rows = Suppression.objects.filter(address__in=list(by_hash)).exclude(reason=Suppression.Reason.ERASED)
        requests = [
            SuppressionRequest(
                address=by_hash[row.address], reason=row.reason, publication_id=row.publication_id, detail=row.detail
            )
            for row in rows
        ]
        found += suppress_many(requests)
        unsubscribe_addresses(requests)
    return found
