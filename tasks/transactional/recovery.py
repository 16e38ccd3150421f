"""What the sweep does for letters: rings for those whose doorbell was lost, and settles what dead workers held."""

from datetime import timedelta
from uuid import UUID

import structlog
from django.db import connection
from django.db.models.functions import Now

from newsdesk.core import process_identity
from tasks import queue
from tasks.models import TransactionalMail
from tasks.providers.base import KeepsJournal, Transport
from tasks.transactional.submitting import record

log = structlog.get_logger(__name__)

#: A worker's hard limit is 300 s: whoever holds a letter for longer can no longer POST.
STALE_SECONDS = 300
#: A healthy worker needs less; what is due for longer has lost its doorbell.
_PATIENCE = timedelta(seconds=10)
_AT_ONCE = 200

_HELD = """
SELECT id, attempt, attempts, claimed_by, claimed_at < statement_timestamp() - make_interval(secs => %s) AS stale
  FROM tasks_letter WHERE status = 'submitting' ORDER BY id
"""


def recover(*, transport: Transport, wake_all: bool = False) -> None:
    """Letters held by dead workers are settled, due ones are rung for. `wake_all`: also those due just now."""
    release_abandoned(transport=transport)
    wake_due(wake_all=wake_all)


def release_abandoned(*, transport: Transport) -> None:
    """Submitting and dead: nobody knows, unless the transport remembers. It is not sent again."""
    with connection.cursor() as cursor:
        cursor.execute(_HELD, [STALE_SECONDS])
        held = cursor.fetchall()
    for letter_id, attempt, tries, held_by, stale in held:
        dead = process_identity.is_dead(held_by)
        if not (stale or dead):
            continue
        if not (dead and _recall(letter_id, attempt, tries, transport)):
            why = "its worker is dead" if dead else f"its worker said nothing for {STALE_SECONDS} s"
            TransactionalMail.objects.filter(
                pk=letter_id, attempt=attempt, status=TransactionalMail.Status.SUBMITTING
            ).update(
                status=TransactionalMail.Status.UNKNOWN,
                said=f"Nobody knows whether it went out: {why}.",
                finished_at=Now(),
            )
            log.warning("letter_released", letter=letter_id, why=why)


def _recall(letter_id: int, attempt: UUID, tries: int, transport: Transport) -> bool:
    if not isinstance(transport, KeepsJournal):
        return False
    found = transport.recall(attempt)
    if found is None or len(found.deliveries) != 1:
        return False
    record(letter_id, attempt, found.outcome, tries=tries)
    transport.forget(attempt)
    return True


def wake_due(*, wake_all: bool = False) -> int:
    """Ring for due letters, unless doorbells of letters still wait in the broker; how many."""
    due = TransactionalMail.objects.filter(
        status=TransactionalMail.Status.PENDING, not_before__lte=Now() - (timedelta() if wake_all else _PATIENCE)
    )
    ids = list(due.order_by("not_before", "pk").values_list("pk", flat=True)[:_AT_ONCE])
    if not ids or queue.waiting_mails() != 0:
        return 0
    log.info("letters_rung_again", letters=len(ids))
    return sum(1 for letter_id in ids if queue.enqueue_mail(letter_id))
