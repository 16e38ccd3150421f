"""The worker loop: batch after batch, several requests in flight, until nothing is due or its time is over.

Only POSTs run in threads; claims, fences and outcomes stay in the one thread that has the database. So a provider that
answers after 300 ms costs no throughput, and each batch still goes its way alone: claim, build, fence, one POST, outcome.

A loop ends after a few seconds where beat's tasks wait for its worker (docs/adr/0010). While it lasts, what must not wait for a
million readers is done between two batches: transactional mails, and the receipts that come back meanwhile.
"""

import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

import structlog
from django.conf import settings

from newsdesk.core import redis_client
from tasks import queue, worker_shutdown
from tasks.broker_connection import BROKER_ERRORS
from tasks.database.durability import PATIENCE
from tasks.database.statements import run
from tasks.feedback import applying
from tasks.providers.base import Outcome, Transport
from tasks.sends import finishing, wake_ups
from tasks.submission import posting
from tasks.submission.claiming import Wait
from tasks.submission.posting import Request
from tasks.transactional import submitting

log = structlog.get_logger(__name__)

#: Seconds after which a loop claims nothing more if other tasks wait for a worker, and looks again after as many if none does: at each
#: end the connections stand idle until the slowest answer is here. What it has in flight by then is settled.
LOOP_SECONDS = 5.0
#: Seconds of the longest loop: with POST_SECONDS and PATIENCE it is over before a task's soft limit.
LONGEST_LOOP = 25.0
#: Seconds of the longest POST, as `Transport.post` promises.
POST_SECONDS = 60.0
#: Seconds of a wait that a loop sleeps through; a longer one ends it.
SHORT_WAIT = 1.0
#: Seconds between two looks for waiting mails and finished sends while batches go out.
LOOK_INTERVAL = 0.25
#: For the worker's session: what a page costs that is read out of order from a disk without moving parts, or from memory. A request's readers
#: are looked up then; by PostgreSQL's default it takes reading all subscriptions of up to a few hundred thousand for cheaper, for each request.
_LOOK_UPS_ARE_CHEAP = "SELECT set_config('random_page_cost', '1.1', false)"


class WorkerLoop:
    """The state of one worker loop. `run` is all there is to call."""

    def __init__(self, transport: Transport, *, connections: int | None = None, seconds: float = LOOP_SECONDS) -> None:
        self._transport = transport
        self._most_in_flight = connections or settings.CONNECTIONS
        self._seconds = seconds
        self._over_at = time.monotonic() + seconds
        self._over_at_last = max(self._over_at, time.monotonic() + LONGEST_LOOP)
        self._next_look_at = time.monotonic() + LOOK_INTERVAL
        self._in_flight: dict[Future[Outcome], Request] = {}
        #: Sends of which something was settled since it was last asked whether they are done.
        self._touched: set[int] = set()

    def run(self) -> None:
        """Submit until nothing is due or the time is over; everything that was begun is settled before it returns.

        Raises what building or the database raised, after that.
        """
        with ThreadPoolExecutor(max_workers=self._most_in_flight, thread_name_prefix="post") as threads:
            remaining_wait: float | None = None
            try:
                remaining_wait = self._submit_due(threads)
            finally:
                self._settle_all()
        self._finish()
        if remaining_wait is not None:
            _wake_next_loop(remaining_wait)

    def _submit_due(self, threads: ThreadPoolExecutor) -> float | None:
        """None when nothing was left to claim, else the seconds after which it is worth going on."""
        run(_LOOK_UPS_ARE_CHEAP, ())
        while (time.monotonic() < self._over_at or self._prolong()) and not worker_shutdown.is_requested():
            self._settle_finished(timeout=None if len(self._in_flight) >= self._most_in_flight else 0.0)
            if len(self._in_flight) >= self._most_in_flight:
                continue
            self._between_batches()
            begun = posting.begin(self._transport)
            if isinstance(begun, Request):
                self._in_flight[threads.submit(posting.post, begun, self._transport)] = begun
            elif isinstance(begun, Wait):
                if begun.seconds > min(SHORT_WAIT, self._over_at - time.monotonic()):
                    return begun.seconds
                self._sleep_through(begun.seconds)
            elif begun is None:
                if not self._in_flight:
                    return None
                # One of them may put its batch back.
                self._settle_finished(timeout=None)
        return 0.0

    def _prolong(self) -> bool:
        """Give the loop as long again if nothing else waits for its worker; whether it did."""
        now = time.monotonic()
        if now >= self._over_at_last or queue.waiting_errands() != 0:
            return False
        self._over_at = min(now + self._seconds, self._over_at_last)
        return True

    def _between_batches(self) -> None:
        if time.monotonic() >= self._next_look_at:
            self._finish()
            # One at a time: a provider that does not answer keeps this thread for a minute.
            submitting.submit_waiting(transport=self._transport, limit=1)
            self._next_look_at = time.monotonic() + LOOK_INTERVAL
        applying.apply_waiting()

    def _sleep_through(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        if self._in_flight:
            self._settle_finished(timeout=seconds)
        if (left := until - time.monotonic()) > 0:
            time.sleep(left)

    def _settle_finished(self, *, timeout: float | None) -> None:
        """Settle what has an outcome; wait for the first of them for `timeout` seconds (None = as long as it takes)."""
        if not self._in_flight:
            return
        done, _ = wait(self._in_flight, timeout=timeout, return_when=FIRST_COMPLETED)
        for future in done:
            self._settle(future)

    def _settle(self, future: "Future[Outcome]") -> None:
        request = self._in_flight[future]
        patience = self._over_at + POST_SECONDS + PATIENCE - time.monotonic()
        posting.settle(request, future.result(), self._transport, patience=patience, finish=False)
        self._touched.add(request.claim.send_id)
        del self._in_flight[future]

    def _finish(self) -> None:
        for send_id in sorted(self._touched):
            finishing.finish_if_done(send_id)
        self._touched.clear()

    def _settle_all(self) -> None:
        """However the loop ends, each outcome is recorded; the first error is raised when all were tried."""
        failed: Exception | None = None
        while self._in_flight:
            done, _ = wait(self._in_flight, return_when=FIRST_COMPLETED)
            for future in done:
                try:
                    self._settle(future)
                except Exception as error:
                    log.exception("outcome_not_recorded", batch=self._in_flight.pop(future).claim.batch_id)
                    failed = failed or error
        if failed is not None:
            raise failed


def run_worker_loop(*, transport: Transport) -> None:
    """Submit whatever is due for LOOP_SECONDS or longer, and settle it; raises what building or the database raised, after that."""
    WorkerLoop(transport).run()


def _wake_next_loop(seconds: float) -> None:
    """Something is left: one task message is enough for it, and none is needed while others wait in the broker."""
    if seconds > queue.LONGEST_COUNTDOWN or queue.waiting_batches():
        return
    if not seconds or _may_wake_later(seconds, at_most=wake_ups.WORKERS_AT_MOST):
        queue.enqueue_worker_loop(countdown=seconds)


def _may_wake_later(seconds: float, *, at_most: int) -> bool:
    """Whether one more worker may be woken so many seconds ahead: no more than `at_most` for each such wait.

    A worker takes a message with a countdown at once and keeps it until its time, so that no queue shows how many there
    are: those that recovery adds would become more without end.
    """
    key = "newsdesk:late-wake-ups"
    try:
        count = redis_client.client(settings.REDIS_URL).pipeline()
        count.set(key, 0, nx=True, px=max(int(seconds * 1000), 1))
        count.incr(key)
        return int(count.execute()[1]) <= at_most
    except BROKER_ERRORS as error:
        log.warning("late_wake_ups_not_counted", error=str(error))
        return True
