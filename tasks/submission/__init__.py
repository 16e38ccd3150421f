"""One batch, at most once: claim, build, fence, one POST, outcome (design §5)."""

import time

import structlog

from tasks import stopping
from tasks.durability import persistently
from tasks.submission.building import build
from tasks.submission.claiming import Claim, claim, give_back
from tasks.submission.fencing import fence
from tasks.submission.outcomes import record
from tasks.transports import Outcome, Transport, Unknown

log = structlog.get_logger(__name__)

#: A POST is not begun later than this after its fence: whoever was stopped in between must not wake up and send.
FENCE_HOLDS = 5.0

__all__ = ["Claim", "build", "claim", "fence", "record", "submit_batch"]


def submit_batch(batch_id: int, *, transport: Transport) -> None:
    """Submit one pending batch, at most once; do nothing when it is not ours to submit.

    Whatever happens is written to the database: the caller needs neither result nor retry. A crash before the fence
    leaves the batch in building, after it in submitting; the sweep settles both.
    """
    held = claim(batch_id, transport=transport.name)
    if held is None:
        return
    try:
        built = build(held)
        body = transport.encode(built.message, built.recipients, attempt=held.attempt) if built.recipients else b""
    except Exception as error:
        give_back(held)
        stopping.pause(held.send_id, f"Batch {held.batch_id} cannot be built: {type(error).__name__}: {error}")
        raise
    if not fence(held, built, transport=transport.name):
        return
    if not built.recipients:
        stopping.finish_if_done(held.send_id)
        return
    fenced = time.monotonic()
    log.debug("posting", batch=held.batch_id, attempt=str(held.attempt), recipients=len(built.recipients))
    if time.monotonic() - fenced > FENCE_HOLDS:
        outcome: Outcome = Unknown(message="The worker was stopped between fence and POST.")
    else:
        outcome = transport.post(body)
    persistently(lambda: record(held, built, outcome, transport=transport.name))
