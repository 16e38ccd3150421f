"""What the sweep does for letters: rings for those whose doorbell was lost, and settles what dead workers held."""

from datetime import timedelta
from uuid import UUID

import structlog
from django.db import connection
from django.db.models.functions import Now

from tasks import doorbells, holder
from tasks.letters.submitting import record
from tasks.models import Letter
from tasks.transports import Remembers, Transport

log = structlog.get_logger(__name__)

#: A worker's hard limit is 300 s: whoever holds a letter for longer can no longer POST.
STALE_SECONDS = 300
#: A healthy worker needs less; what is due for longer has lost its doorbell.
_PATIENCE = timedelta(seconds=10)
_AT_ONCE = 200

_HELD = """
SELECT id, attempt, attempts, holder, claimed_at < statement_timestamp() - make_interval(secs => %s) AS stale
  FROM tasks_letter WHERE status = 'submitting' ORDER BY id
"""


def heal(*, transport: Transport, ring_all: bool = False) -> None:
    """Letters held by dead workers are settled, due ones are rung for. `ring_all`: also those due just now."""
    release_held(transport=transport)
    ring_due(ring_all=ring_all)


def release_held(*, transport: Transport) -> None:
    """Submitting and dead: nobody knows, unless the transport remembers. It is not sent again."""
    with connection.cursor() as cursor:
        cursor.execute(_HELD, [STALE_SECONDS])
        held = cursor.fetchall()
    for letter_id, attempt, tries, held_by, stale in held:
        dead = holder.is_dead(held_by)
        if not (stale or dead):
            continue
        if not (dead and _recall(letter_id, attempt, tries, transport)):
            why = "its worker is dead" if dead else f"its worker said nothing for {STALE_SECONDS} s"
            Letter.objects.filter(pk=letter_id, attempt=attempt, status=Letter.Status.SUBMITTING).update(
                status=Letter.Status.UNKNOWN, said=f"Nobody knows whether it went out: {why}.", finished_at=Now()
            )
            log.warning("letter_released", letter=letter_id, why=why)


def _recall(letter_id: int, attempt: UUID, tries: int, transport: Transport) -> bool:
    if not isinstance(transport, Remembers):
        return False
    found = transport.recall(attempt)
    if found is None or len(found.deliveries) != 1:
        return False
    record(letter_id, attempt, found.outcome, tries=tries)
    transport.forget(attempt)
    return True


def ring_due(*, ring_all: bool = False) -> int:
    """Ring for due letters, unless doorbells of letters still wait in the broker; how many."""
    due = Letter.objects.filter(
        status=Letter.Status.PENDING, not_before__lte=Now() - (timedelta() if ring_all else _PATIENCE)
    )
    ids = list(due.order_by("not_before", "pk").values_list("pk", flat=True)[:_AT_ONCE])
    if not ids or doorbells.waiting_letters() != 0:
        return 0
    log.info("letters_rung_again", letters=len(ids))
    return sum(1 for letter_id in ids if doorbells.ring_letter(letter_id))
