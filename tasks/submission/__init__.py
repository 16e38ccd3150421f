"""One batch, at most once: claim, build, fence, one POST, outcome (design §5)."""

import time
from uuid import uuid4

import structlog
from django.db import InterfaceError, OperationalError

from tasks import stopping
from tasks.durability import persistently
from tasks.submission.building import Built, build
from tasks.submission.claiming import Claim, claim
from tasks.submission.fencing import fence
from tasks.submission.outcomes import record
from tasks.submission.withdrawing import withdraw
from tasks.transports import Outcome, Reason, Refused, Remembers, Transport

log = structlog.get_logger(__name__)

#: Seconds. A POST is not begun later than this after its fence began: whoever was suspended must not wake up and send.
FENCE_HOLDS = 5.0
#: Goes on while the machine sleeps, where the system has such a clock.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

__all__ = ["Built", "Claim", "build", "claim", "fence", "record", "submit_batch", "withdraw"]


def submit_batch(batch_id: int, *, transport: Transport) -> None:
    """Submit one pending batch, at most once; do nothing when it is not ours to submit.

    Whatever happens is written to the database: the caller needs neither result nor retry. A crash before the fence
    leaves the batch in building, after it in submitting; the sweep settles both. Database errors are raised once the
    batch is back, or the database has been away for too long.
    """
    attempt = uuid4()
    try:
        held = claim(batch_id, attempt=attempt, transport=transport.name)
        if held is None:
            return
        built, body = _request(held, transport)
        began = time.clock_gettime(_CLOCK)
        if not fence(held, built, transport=transport.name):
            return
    except (OperationalError, InterfaceError):
        # Whether the last commit arrived or not: nothing was posted, and we are the only ones who know.
        persistently(lambda: withdraw(batch_id, attempt, why="The database went away before the POST."))
        raise
    if not built.recipients:
        stopping.finish_if_done(held.send_id)
        return
    outcome: Outcome
    if time.clock_gettime(_CLOCK) - began > FENCE_HOLDS:
        outcome = Refused(reason=Reason.NOT_SENT, message="The worker was suspended between fence and POST.")
    else:
        outcome = transport.post(body)
    persistently(lambda: record(held, built, outcome, transport=transport.name))
    if isinstance(transport, Remembers):
        transport.forget(held.attempt)


def _request(held: Claim, transport: Transport) -> tuple[Built, bytes]:
    """Build and encode; a batch that cannot be built goes back, and its send pauses with the reason."""
    try:
        built = build(held)
        body = transport.encode(built.message, built.recipients, attempt=held.attempt) if built.recipients else b""
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        withdraw(held.batch_id, held.attempt, why="It could not be built.")
        stopping.pause(held.send_id, f"Batch {held.batch_id} cannot be built: {type(error).__name__}: {error}")
        raise
    return built, body
