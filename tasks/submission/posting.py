"""One request from claim to fence, its POST, and its outcome. Only `post` may run in another thread."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import InterfaceError, OperationalError

from newsdesk.core import disk_space
from tasks.database import high_water
from tasks.database.durability import PATIENCE, persistently
from tasks.database.high_water import Fence
from tasks.http import first_byte
from tasks.providers.base import KeepsJournal, Outcome, Reason, Refused, Transport
from tasks.sends import control, finishing
from tasks.submission.building import Built, NotAsApprovedError, build
from tasks.submission.claim_release import release_claim, release_claim_of
from tasks.submission.claiming import Claim, Wait, claim_batch, claim_next
from tasks.submission.fencing import fence
from tasks.submission.outcomes import record
from tasks.submission.setting_apart import set_apart

log = structlog.get_logger(__name__)

#: Seconds. The body of a POST is not begun later than this after its fence began, name, connection and handshake included:
#: whoever was suspended must not wake up and send. Connecting may take CONNECT_TIMEOUT of them.
FENCE_SECONDS = 15.0
#: Seconds from one look at a disk without room to the next.
DISK_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A batch behind its fence: it must be posted now, once, and settled."""

    claim: Claim
    built: Built
    body: Any
    fence: Fence
    #: When its fence began, in seconds of the machine's clock.
    fenced_at: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Done:
    """A batch was claimed, and there is nothing to post: its readers are gone, or another worker has it."""


def begin(transport: Transport, *, batch_id: int | None = None) -> Request | Done | Wait | None:
    """Claim a batch (this one, or whichever is due), build, encode and fence it; None when there is none to be had.

    Raises the database's errors once the claim is released, or the database has been away for too long, and whatever
    building raised, once the claim is released and the send paused.
    """
    if disk_space.is_too_short_to_send(settings.HOME.path):
        # What became of it could not be written down.
        return Wait(seconds=DISK_SECONDS)
    attempt = uuid4()
    try:
        if batch_id is None:
            claim = claim_next(attempt=attempt, transport=transport.name)
        else:
            claim = claim_batch(batch_id, attempt=attempt, transport=transport.name)
        if claim is None or isinstance(claim, Wait):
            return claim
        built, body = _built(claim, transport)
        fenced_at = first_byte.now()
        behind = fence(claim, built, transport=transport.name)
    except (OperationalError, InterfaceError):
        # Whether the last commit arrived or not: nothing was posted, and we are the only ones who know.
        persistently(lambda: release_claim_of(attempt, why="The database went away before the POST."))
        raise
    if behind is None:
        if not built.recipients:
            finishing.finish_if_done(claim.send_id)
        return Done()
    return Request(claim=claim, built=built, body=body, fence=behind, fenced_at=fenced_at)


def post(request: Request, transport: Transport) -> Outcome:
    """POST it, unless its fence is older than FENCE_SECONDS seconds when its body would begin. Never raises, touches no database."""
    with first_byte.not_after(request.fenced_at + FENCE_SECONDS):
        try:
            high_water.advance(request.fence)
            first_byte.check()
        except OSError as error:
            log.exception("mark_not_written")
            return Refused(reason=Reason.NOT_SENT, message=f"Nothing was sent: the mark of what was sent: {error}")
        except first_byte.TooLateError as late:
            return Refused(reason=Reason.NOT_SENT, message=str(late))
        return transport.post(request.body)


def settle(
    request: Request, outcome: Outcome, transport: Transport, *, patience: float = PATIENCE, finish: bool = True
) -> None:
    """Record the outcome, however often the database goes away within `patience` seconds; then raise its error.

    `finish`: as in `outcomes.record`.
    """
    persistently(
        lambda: record(request.claim, request.built, outcome, transport=transport.name, finish=finish),
        patience=max(patience, 0.0),
    )
    if isinstance(transport, KeepsJournal):
        transport.forget(request.claim.attempt)


def _built(claim: Claim, transport: Transport) -> tuple[Built, Any]:
    """Build and encode; the claim of a batch that cannot be built is released, and its send pauses with the reason."""
    try:
        built = set_apart(claim, build(claim, reports=transport.reports))
        body = transport.encode(built.message, built.recipients, attempt=claim.attempt) if built.recipients else b""
    except (OperationalError, InterfaceError):
        raise
    except SoftTimeLimitExceeded:
        release_claim(claim.batch_id, claim.attempt, why="The worker's time was over before it was built.")
        raise
    except NotAsApprovedError as error:
        release_claim(claim.batch_id, claim.attempt, why=str(error))
        control.pause(claim.send_id, f"Nothing more goes out: {error}.")
        raise
    except Exception as error:
        release_claim(claim.batch_id, claim.attempt, why="It could not be built.")
        control.pause(claim.send_id, f"Batch {claim.batch_id} cannot be built: {type(error).__name__}: {error}")
        raise
    return built, body


def submit_batch(batch_id: int, *, transport: Transport) -> None:
    """Submit this one pending batch, at most once; do nothing when it is not ours to submit.

    Whatever happens is written to the database: the caller needs neither result nor retry. A crash before the fence
    leaves the batch in building, after it in submitting; recovery settles both. Database errors are raised once the
    claim is released, or the database has been away for too long.
    """
    request = begin(transport, batch_id=batch_id)
    if isinstance(request, Request):
        settle(request, post(request, transport), transport)
