"""An address whose mail is refused again and again, though never for good, is suppressed: `soft_bounce`.

Counted are editions, within some weeks (two settings). Nobody is counted for what is not theirs: where most readers at a domain
had the same edition refused, or a good part of all its readers, somebody blocked us. What was before a person lifted the suppression
counts no more.
"""

from collections import defaultdict
from datetime import datetime
from typing import NamedTuple

import structlog
from django.conf import settings

from subscribers.erased import erased_forms
from subscribers.models import LiftedSuppression, Suppression
from subscribers.suppression import SuppressionRequest, suppress_many
from tasks.database.statements import run
from tasks.models import Batch
from tasks.providers.events import EventKind

log = structlog.get_logger(__name__)

#: So many readers at one domain, and more than half of those who were sent the edition there, are a block.
_BLOCKED_READERS = 5
#: So many readers of an edition, and more than a tenth of all, are one too, wherever they are.
_REFUSED_READERS = 20

_DOMAIN = "split_part(lower(s.email), '@', 2)"
_BOUNCES = f"""
SELECT e.subscriber_id, t.edition_id, e.at FROM tasks_event e JOIN tasks_send t ON t.id = e.send_id
 WHERE e.kind = '{EventKind.SOFT_BOUNCE}' AND e.at > statement_timestamp() - make_interval(weeks => %b)
"""  # noqa: S608 - made of constants, like the others here
_CANDIDATES = f"""
WITH bounces AS ({_BOUNCES})
SELECT lower(s.email), {_DOMAIN}, b.edition_id, max(b.at) FROM bounces b JOIN subscribers_subscriber s ON s.id = b.subscriber_id
 WHERE b.subscriber_id IN (
        SELECT subscriber_id FROM bounces GROUP BY subscriber_id HAVING count(DISTINCT edition_id) >= %b)
   AND NOT EXISTS (SELECT 1 FROM subscribers_suppression x
                    WHERE x.address = lower(s.email) AND x.reason = '{Suppression.Reason.SOFT_BOUNCE}')
 GROUP BY 1, 2, 3
"""  # noqa: S608
#: Domains with so many refused that they may have blocked an edition; "" stands for all of its readers.
_SUSPECTS = f"""
WITH bounces AS ({_BOUNCES})
SELECT b.edition_id, {_DOMAIN} AS domain, count(DISTINCT s.id) FROM bounces b JOIN subscribers_subscriber s ON s.id = b.subscriber_id
 WHERE b.edition_id = ANY(%b::bigint[]) AND {_DOMAIN} = ANY(%b::text[])
 GROUP BY 1, 2 HAVING count(DISTINCT s.id) >= {_BLOCKED_READERS}
UNION ALL
SELECT edition_id, '', count(DISTINCT subscriber_id) FROM bounces WHERE edition_id = ANY(%b::bigint[])
 GROUP BY 1 HAVING count(DISTINCT subscriber_id) >= {_REFUSED_READERS}
"""  # noqa: S608
_SENT = f"""
SELECT t.edition_id, {_DOMAIN}, count(*)
  FROM tasks_send t JOIN tasks_batch b ON b.send_id = t.id AND b.status = '{Batch.Status.SUBMITTED}'
  JOIN tasks_delivery d ON d.send_id = t.id AND d.batch_id = b.id JOIN subscribers_subscriber s ON s.id = d.subscriber_id
 WHERE t.edition_id = ANY(%b::bigint[]) AND {_DOMAIN} = ANY(%b::text[])
 GROUP BY 1, 2
"""  # noqa: S608
_SENT_IN_ALL = f"""
SELECT t.edition_id, '', sum(b.size)::bigint
  FROM tasks_send t JOIN tasks_batch b ON b.send_id = t.id AND b.status = '{Batch.Status.SUBMITTED}'
 WHERE t.edition_id = ANY(%b::bigint[]) GROUP BY 1
"""  # noqa: S608


class _Bounce(NamedTuple):
    domain: str
    edition_id: int
    #: The last of that edition.
    at: datetime


def suppress() -> int:
    """Suppress every address that the settings mean; the number of those that are new. Repeated calls change nothing."""
    editions, weeks = settings.SOFT_BOUNCE_EDITIONS, settings.SOFT_BOUNCE_WEEKS
    if not editions:
        return 0
    found: dict[str, list[_Bounce]] = defaultdict(list)
    for address, *bounce in run(_CANDIDATES, (weeks, editions)):
        found[address].append(_Bounce(*bounce))
    blocked = _blocked([bounce for bounces in found.values() for bounce in bounces], weeks)
    lifted = _lifted(list(found))
    counted = {
        address: len({
            bounce.edition_id
            for bounce in bounces
            if blocked.isdisjoint({(bounce.edition_id, bounce.domain), (bounce.edition_id, "")})
            and (address not in lifted or bounce.at > lifted[address])
        })
        for address, bounces in found.items()
    }  # fmt: skip
    requests = [
        SuppressionRequest(
            address=address, reason=Suppression.Reason.SOFT_BOUNCE, detail=f"{count} editions within {weeks} weeks"
        )
        for address, count in sorted(counted.items())
        if count >= editions
    ]
    new = suppress_many(requests)
    log.info("soft_bounces_counted", candidates=len(found), blocked=len(blocked), suppressed=new)
    return new


def _blocked(bounces: list[_Bounce], weeks: int) -> set[tuple[int, str]]:
    """(edition, domain) where it was not the reader's fault; "" for a whole edition."""
    editions = sorted({bounce.edition_id for bounce in bounces})
    domains = sorted({bounce.domain for bounce in bounces})
    refused = {
        (edition, domain): count for edition, domain, count in run(_SUSPECTS, (weeks, editions, domains, editions))
    }
    if not refused:
        return set()
    suspects = [sorted({edition for edition, _ in refused}), sorted({domain for _, domain in refused})]
    sent = {
        (edition, domain): count for edition, domain, count in run(_SENT, suspects) + run(_SENT_IN_ALL, suspects[:1])
    }
    return {
        pair for pair, count in refused.items() if count * (2 if pair[1] else 10) > sent.get(pair, 0)
    }  # fmt: skip


def _lifted(addresses: list[str]) -> dict[str, datetime]:
    """When a person last took away such a suppression, by address."""
    by_form = {form: address for address in addresses for form in erased_forms(address)}
    rows = LiftedSuppression.objects.filter(reason=Suppression.Reason.SOFT_BOUNCE, address__in=list(by_form))
    return {by_form[form]: at for form, at in rows.order_by("at").values_list("address", "at")}
