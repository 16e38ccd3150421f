"""Erasing one person (GDPR, article 17): afterwards no table, index or file of ours holds the address.

What stays is a keyed hash of it, so that nobody imports the person again, and numbers: a delivery keeps the id of a reader
who is gone. Every step may be repeated. The hash is written first, in a commit of its own: from then on nothing is sent to
the address, and an erasure that was broken off goes on when it is asked for again.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import structlog
from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from newsdesk.core.advisory_locks import AdvisoryLock, lock_for_transaction
from newsdesk.core.errors import RefusedError
from subscribers import erased, profile, suppression
from subscribers.addresses import stored_form
from subscribers.models import MergedReader, Suppression
from tasks.database import clock
from tasks.models import Erasure, TransactionalMail
from tasks.privacy.erasing_tables import erase_from_tables, vacuum
from tasks.privacy.home_files import erase_from_files
from tasks.privacy.naming import Naming
from tasks.providers.base import ErasureAnswer, Transport
from tasks.providers.registry import provider_of

log = structlog.get_logger(__name__)

#: Seconds: a request takes 60 at the most (`tasks.http.deadline`).
PATIENCE = 90.0
BETWEEN_TRIES = 0.5

_IN_FLIGHT = """
SELECT EXISTS (
    SELECT 1 FROM tasks_batch b JOIN tasks_delivery d ON d.batch_id = b.id
     WHERE b.status IN ('building', 'submitting') AND d.send_id = b.send_id AND d.subscriber_id = %s
) OR EXISTS (SELECT 1 FROM tasks_letter WHERE status = 'submitting' AND lower(to_email) = %s)
"""


@dataclass(frozen=True, kw_only=True)
class Erased:
    """What was done. `rows`: changed or deleted, by table."""

    erasure: Erasure
    rows: dict[str, int]
    files: int
    #: None where the provider cannot be asked.
    answer: ErasureAnswer | None

    @property
    def complete(self) -> bool:
        return self.erasure.finished_at is not None


def erase(
    address: str,
    *,
    who: str,
    transport: Transport,
    rewrite: bool = False,
    patience: float = PATIENCE,
    wait: Callable[[float], None] = time.sleep,
) -> Erased:
    """Erase everything of this address. May be repeated, also for who is no reader.

    Raises RefusedError while a request with the person is being posted for longer than `patience` seconds: nothing but
    the hash is written then, and nothing more is sent to them. It ends incomplete when the provider did not take the
    request to erase; asked for again, it asks the provider again.
    """
    reader = profile.reader_with(address)
    wanted = reader.email.lower() if reader else stored_form(address)
    current = _begin(wanted, who)
    if reader is not None and current.subscriber_id != reader.pk:
        current.subscriber_id = reader.pk
        current.save(update_fields=["subscriber_id"])
    _wait_until_nothing_is_posted(current.subscriber_id, wanted, patience, wait)
    answer = _ask_provider(current, wanted, transport)
    naming = Naming(wanted, reader.email if reader else "", address.strip())
    rows = erase_from_tables(wanted, current.subscriber_id, naming)
    files = erase_from_files(naming, current.subscriber_id)
    vacuum(rewrite=rewrite)
    if answer is None or answer.accepted:
        _finish(current)
    current.refresh_from_db()
    log.info("reader_erased", erasure=current.pk, files=files, complete=current.finished_at is not None)
    return Erased(erasure=current, rows=rows, files=files, answer=answer)


def erase_again(addresses: Iterable[str], *, who: str) -> None:
    """Erase readers who came back with an old database. Nothing may be sent meanwhile.

    The provider was asked the first time. An erasure that was open in the old database stays open: nobody knows what came of it.
    """
    for address in addresses:
        reader = profile.reader_with(address)
        wanted = reader.email.lower() if reader else stored_form(address)
        was_open = _open_erasures(wanted).exists()
        current = _begin(wanted, who)
        naming, subscriber_id = Naming(wanted, address.strip()), reader.pk if reader else None
        erase_from_tables(wanted, subscriber_id, naming)
        erase_from_files(naming, subscriber_id)
        if not was_open:
            _finish(current)
    vacuum(rewrite=False)


def _finish(erasure: Erasure) -> None:
    Erasure.objects.filter(pk=erasure.pk).update(finished_at=Now(), subscriber_id=None)


@transaction.atomic
def _begin(address: str, who: str) -> Erasure:
    """The open erasure of this address, and the hash by which nobody takes it in again."""
    with connection.cursor() as cursor:
        # An import that is under way ends first: the next one sees the hash.
        lock_for_transaction(cursor, AdvisoryLock.IMPORT)
    suppression.suppress(address, Suppression.Reason.ERASED)
    # Nor under an address of theirs whose record was merged into this one.
    merged = MergedReader.objects.filter(kept__email__iexact=address).exclude(address="")
    for form in merged.values_list("address", flat=True):
        suppression.suppress(form, Suppression.Reason.ERASED)
    known = _open_erasures(address).first()
    return known or Erasure.objects.create(address=erased.erased_address(address), who=who[:200])


def _open_erasures(address: str) -> QuerySet[Erasure]:
    return Erasure.objects.filter(address__in=erased.erased_forms(address), finished_at__isnull=True)


def _wait_until_nothing_is_posted(
    subscriber_id: int | None, address: str, patience: float, wait: Callable[[float], None]
) -> None:
    until = time.monotonic() + patience
    TransactionalMail.objects.filter(status="pending", to_email__iexact=address).delete()
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_IN_FLIGHT, [subscriber_id, address])
            if not cursor.fetchone()[0]:
                return
        if time.monotonic() >= until:
            raise RefusedError(
                "a request with this reader is being posted; nothing more is sent to them. Run erase-reader again in a minute"
            )
        wait(BETWEEN_TRIES)


def _ask_provider(current: Erasure, address: str, transport: Transport) -> ErasureAnswer | None:
    """The provider's answer, kept with the erasure; one that was good is not asked for twice."""
    provider = provider_of(transport.name)
    if provider is None or provider.contact_erasure is None:
        return None
    kept = current.provider_answer
    if kept and (answer := ErasureAnswer(kept["status"], kept["body"])).accepted:
        return answer
    answer = provider.contact_erasure.erase(transport, address)
    current.provider_answer = {
        "provider": provider.title,
        "status": answer.status,
        "body": answer.body,
        "at": clock.now().isoformat(),
    }
    current.save(update_fields=["provider_answer"])
    return answer
