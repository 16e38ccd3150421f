"""The sunset rule: readers who opened and clicked nothing for long get nothing more (reason `sunset`), and may come back.

Judged are tracked readers alone, by clicks and opens together: who did either, stays. What machines did counts for nothing, so a reader
whose mail program opens everything by itself (Apple's) is judged by clicks. Editions count only where reports came in. It is off until a
publication sets it, and leaves nobody out before a person was told how many that is, and agreed.
"""

from dataclasses import dataclass

import structlog
from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from composer.models import Publication
from newsdesk.core.errors import InputError
from subscribers.erased import erased_address, erased_forms
from subscribers.models import LiftedSuppression, Suppression
from subscribers.suppression import SuppressionRequest, suppress_many
from tasks.alarms.raising import clear_alarms, raise_alarm
from tasks.database.statements import run
from tasks.models import Alarm, Batch, Delivery, Sunset

log = structlog.get_logger(__name__)

_REASON = Suppression.Reason.SUNSET
#: A mail is read within so many days, or not at all; younger editions save a reader, and do not count against one.
_DAYS_TO_READ = 7
#: What the table can hold.
_MOST = 2_147_483_647

#: Each reader's deliveries within the weeks; the first send's id spares the partitions before it. An edition comes to nobody twice, so deliveries are counted.
_SILENT = f"""
WITH sends AS (
    SELECT t.id, t.prepared_at < statement_timestamp() - make_interval(days => {_DAYS_TO_READ}) AND EXISTS (
               SELECT 1 FROM tasks_batch b WHERE b.send_id = t.id AND b.tracked AND b.opened + b.clicked > 0) AS counts
      FROM tasks_send t JOIN composer_edition e ON e.id = t.edition_id
     WHERE e.publication_id = %b AND t.prepared_at > statement_timestamp() - make_interval(weeks => %b)
), silent AS (
    SELECT d.subscriber_id FROM tasks_delivery d JOIN sends ON sends.id = d.send_id JOIN tasks_batch b ON b.id = d.batch_id
     WHERE d.send_id >= (SELECT min(id) FROM sends)
     GROUP BY d.subscriber_id
    HAVING count(*) FILTER (WHERE sends.counts AND b.tracked AND b.status = '{Batch.Status.SUBMITTED}'
                              AND {Delivery.Seen.DELIVERED.sql("d.seen")}) >= %b
       AND NOT bool_or({Delivery.Seen.OPENED.sql("d.seen")} OR {Delivery.Seen.CLICKED.sql("d.seen")})
)
SELECT lower(s.email) FROM silent JOIN subscribers_subscriber s ON s.id = silent.subscriber_id
 WHERE (s.tracking = 'granted' OR (s.tracking = 'unknown' AND %b))
   AND EXISTS (SELECT 1 FROM subscribers_subscription n JOIN subscribers_list l ON l.id = n.list_id
                WHERE n.subscriber_id = s.id AND n.status = 'active' AND l.publication_id = %b)
   AND NOT EXISTS (SELECT 1 FROM subscribers_suppression x
                    WHERE x.address = lower(s.email) AND (x.publication_id IS NULL OR x.publication_id = %b))
 ORDER BY 1
"""  # noqa: S608 - made of constants
#: Who followed a link of an old mail since is back.
_CAME_BACK = """
SELECT DISTINCT x.address FROM subscribers_suppression x JOIN subscribers_subscriber s ON lower(s.email) = x.address
  JOIN tasks_event e ON e.subscriber_id = s.id AND e.kind = 'clicked' AND NOT e.machine AND e.at > x.created_at
 WHERE x.reason = 'sunset' AND x.publication_id = %b AND e.send_id = ANY(ARRAY(
        SELECT t.id FROM tasks_send t JOIN composer_edition d ON d.id = t.edition_id WHERE d.publication_id = %b))
"""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How a publication's rule stands now."""

    #: It is set, and the publication is tracked at all.
    is_on: bool
    #: Who would be left out tonight.
    silent: int
    #: Who is.
    left_out: int
    #: A person agreed to this rule, for at least so many.
    confirmed: bool


def standing(publication: Publication) -> Standing:
    """Counts the readers anew, which takes a while with many."""
    silent = len(_silent(publication))
    return Standing(
        is_on=_is_on(publication),
        silent=silent,
        left_out=_suppressions(publication.pk).count(),
        confirmed=_is_confirmed(publication, silent),
    )


def confirm(publication: Publication, readers: int, *, who: str) -> None:
    """Let the rule leave out so many readers tonight, and no more than that in any night after.

    Raises InputError where the rule is not set, or where it means more readers by now.
    """
    if not _is_on(publication):
        raise InputError(f"{publication.slug}: no sunset rule is set, or opens and clicks are not reported")
    now = len(_silent(publication))
    if not now <= readers <= _MOST or readers < 1:
        raise InputError(f"it is {now} readers by now; agree to that number")
    rule = {"editions": publication.sunset_editions, "weeks": publication.sunset_weeks, "readers": readers}
    Sunset.objects.update_or_create(
        publication=publication, defaults={**rule, "confirmed_at": Now(), "confirmed_by": who[:200]}
    )
    clear_alarms(Alarm.Code.SUNSET, publication=publication)
    log.info("sunset_confirmed", publication=publication.slug, readers=readers, who=who)


def lift_all(publication: Publication, *, why: str) -> int:
    """Bring everybody back whom the rule left out; how many. Each has the whole number of editions before them again."""
    return _lift(publication.pk, sorted(_suppressions(publication.pk).values_list("address", flat=True)), why)


def keep() -> int:
    """Leave out whom the rules mean where a person agreed, and ask for it elsewhere; how many are new. Each night."""
    new = 0
    for publication in Publication.objects.order_by("pk"):
        _lift(publication.pk, [address for (address,) in run(_CAME_BACK, [publication.pk] * 2)], "followed a link")
        found = _silent(publication)
        if not found:
            clear_alarms(Alarm.Code.SUNSET, publication=publication)
        elif _is_confirmed(publication, len(found)):
            new += suppress_many(_request(publication, address) for address in found)
        else:
            _ask(publication, len(found))
    log.info("sunset_kept", new=new)
    return new


def _is_on(publication: Publication) -> bool:
    return bool(publication.sunset_editions and publication.sunset_weeks and publication.tracking)


def _is_confirmed(publication: Publication, readers: int) -> bool:
    return Sunset.objects.filter(
        publication=publication,
        editions=publication.sunset_editions or 0,
        weeks=publication.sunset_weeks or 0,
        readers__gte=readers,
    ).exists()


def _silent(publication: Publication) -> list[str]:
    if not _is_on(publication):
        return []
    weeks, pk = publication.sunset_weeks, publication.pk
    facts = (pk, weeks, publication.sunset_editions, publication.track_unknown, pk, pk)
    found = [address for (address,) in run(_SILENT, facts)]
    lifted = _lifted_within(pk, weeks or 0)
    return [address for address in found if lifted.isdisjoint(erased_forms(address))] if lifted else found


def _lifted_within(publication_id: int, weeks: int) -> set[str]:
    """Whose suppression was lifted within these weeks: only what came since could count, and that is not enough yet."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT address FROM subscribers_liftedsuppression WHERE reason = 'sunset' AND publication_id = %s "
            "AND at > statement_timestamp() - make_interval(weeks => %s)",
            [publication_id, weeks],
        )
        return {address for (address,) in cursor.fetchall()}


def _request(publication: Publication, address: str) -> SuppressionRequest:
    detail = (
        f"{publication.sunset_editions} editions within {publication.sunset_weeks} weeks neither opened nor clicked"
    )
    return SuppressionRequest(address=address, reason=_REASON, publication_id=publication.pk, detail=detail)


def _ask(publication: Publication, readers: int) -> None:
    if Alarm.objects.filter(code=Alarm.Code.SUNSET, publication=publication, cleared_at=None).exists():
        return
    raise_alarm(
        Alarm.Code.SUNSET,
        f"{publication.title}: {readers} readers opened and clicked nothing of {publication.sunset_editions} editions within "
        f"{publication.sunset_weeks} weeks. They go on getting it until somebody agrees that they do not: "
        f"newsdesk sunset {publication.slug}.",
        publication_id=publication.pk,
        mail=True,
    )


def _suppressions(publication_id: int) -> "QuerySet[Suppression]":
    return Suppression.objects.filter(reason=_REASON, publication_id=publication_id)


def _lift(publication_id: int, addresses: list[str], why: str) -> int:
    with transaction.atomic():
        LiftedSuppression.objects.bulk_create(
            LiftedSuppression(
                address=erased_address(address), publication_id=publication_id, reason=_REASON, why=why[:500]
            )
            for address in addresses
        )
        return _suppressions(publication_id).filter(address__in=addresses).delete()[0]
