"""A batch goes out at most once: claim, build, fence, one POST, outcome (design §5)."""

from tasks.submission.building import Built, build
from tasks.submission.claiming import Claim, Wait, claim, claim_next
from tasks.submission.fencing import fence
from tasks.submission.outcomes import record
from tasks.submission.requests import FENCE_HOLDS, Request, begin, post, settle
from tasks.submission.withdrawing import withdraw
from tasks.transports import Transport

__all__ = [
    "FENCE_HOLDS",
    "Built",
    "Claim",
    "Wait",
    "build",
    "claim",
    "claim_next",
    "fence",
    "record",
    "submit_batch",
    "withdraw",
]


def submit_batch(batch_id: int, *, transport: Transport) -> None:
    """Submit this one pending batch, at most once; do nothing when it is not ours to submit.

    Whatever happens is written to the database: the caller needs neither result nor retry. A crash before the fence
    leaves the batch in building, after it in submitting; the sweep settles both. Database errors are raised once the
    batch is back, or the database has been away for too long.
    """
    request = begin(transport, batch_id=batch_id)
    if isinstance(request, Request):
        settle(request, post(request, transport), transport)
