"""The last commit before the first byte: a crash after it leaves the outcome unknown, a crash before it does not.

docs/architecture.md, "Delivery" and "Lock order".
"""

from tasks.attempts import exclusions
from tasks.database import row_locks
from tasks.database.durability import durable, run_durably
from tasks.database.high_water import Fence
from tasks.database.statements import run
from tasks.models import Attempt, Batch, Send
from tasks.submission import setting_apart
from tasks.submission.building import Built
from tasks.submission.claiming import Claim

#: The whole fence when nobody dropped out: the send's lock first, then the batch, then the attempt.
_FENCE = """
WITH send AS MATERIALIZED (SELECT status FROM tasks_send WHERE id = %b FOR SHARE),
mine AS (
    UPDATE tasks_batch SET status = 'submitting'
     WHERE id = (SELECT %b::bigint FROM send WHERE status = 'sending') AND attempt = %b AND status = 'building'
    RETURNING id
), recorded AS (
    INSERT INTO tasks_attempt (id, batch_id, number, size, outcome, provider_id, transport, silent_passes, heard, evidence, fence)
    SELECT %b, id, %b, %b, '', '', %b, 0, 0, '[]', nextval('tasks_fence_number') FROM mine
    RETURNING fence
)
SELECT fence, (SELECT id::text FROM tasks_installation) FROM recorded
"""
_NUMBER = "SELECT nextval('tasks_fence_number'), id::text FROM tasks_installation"


class _ClaimLostError(Exception):
    """The batch is another worker's by now."""


def fence(claim: Claim, built: Built, *, transport: str) -> Fence | None:
    """Commit that a POST is about to begin. None = do not POST: another has the batch, the send was stopped, nobody is left.

    A lost connection raises OperationalError or InterfaceError; then nothing may be posted either, whether the commit
    arrived or not. A request without recipients is not posted: its batch is submitted with nobody in it, or pending for those who are
    set apart.
    """
    size = len(built.recipients)
    if size and not built.excluded and not built.apart and built.message.tracking == claim.tracked:
        params = (claim.send_id, claim.batch_id, claim.attempt, claim.attempt, claim.number, size, transport)
        for number, installation in run_durably(_FENCE, params):
            return Fence(number, installation, claim.send_id)
    # Somebody dropped out, waits for their mailbox provider or is not to be tracked any more, or there is a reason not to go on.
    try:
        with durable():
            return _fence(claim, built, transport=transport)
    except _ClaimLostError:
        return None


def _fence(claim: Claim, built: Built, *, transport: str) -> Fence | None:
    send_status = row_locks.send_status(claim.send_id)
    mine = Batch.objects.filter(pk=claim.batch_id, attempt=claim.attempt, status=Batch.Status.BUILDING)
    if send_status != Send.Status.SENDING:
        cancelled = send_status == Send.Status.CANCELLED
        mine.update(status=Batch.Status.CANCELLED if cancelled else Batch.Status.PENDING, enqueued_at=None)
        return None
    status = Batch.Status.SUBMITTING if built.recipients else Batch.Status.SUBMITTED
    waits_for = setting_apart.keeper(built)
    if waits_for:
        status = Batch.Status.PENDING
    domain = waits_for or claim.mailbox_domain
    if not mine.update(status=status, tracked=built.message.tracking, mailbox_domain=domain, enqueued_at=None):
        raise _ClaimLostError
    exclusions.exclude(
        claim.batch_id, send_id=claim.send_id, kind="excluded", reasons=built.excluded, attempt=claim.number
    )
    if built.apart:
        setting_apart.move_apart(claim, built, but=waits_for)
    if not built.recipients:
        return None
    ((number, installation),) = run(_NUMBER, ())
    Attempt.objects.create(
        id=claim.attempt,
        fence=number,
        batch_id=claim.batch_id,
        number=claim.number,
        size=len(built.recipients),
        transport=transport,
    )
    return Fence(number, installation, claim.send_id)
