"""Any SMTP server: a relay of one's own, a provider's submission port.

SMTP answers for each recipient and reports nothing later: an outcome is `Divided` as soon as two recipients fare
differently, and what stays in doubt waits for a person (docs/how-to/send-through-smtp.md).
"""

import hashlib
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import structlog

from newsdesk.environment import DkimKey, SmtpServer
from tasks.transports import smtp_posting
from tasks.transports.base import Message, Outcome, Recalled, Recipient, Unknown
from tasks.transports.dkim import Signer
from tasks.transports.journal import Journal
from tasks.transports.letters import Letters, letters
from tasks.transports.smtp_posting import Halt, Posting
from tasks.transports.smtp_wire import NotConnected, Wire, connect

log = structlog.get_logger(__name__)

#: Of the seconds a request may take, the share after which no further letter is begun: the rest is for the last reply.
_BEGIN_UNTIL = 0.7
#: An idle connection is asked whether it lives (NOOP) before it is used; after this many seconds it is not even asked.
_MAX_IDLE = 60.0
_MAX_KEPT = 16
#: Goes on while the machine sleeps, where the system has such a clock: whoever was suspended sends nothing more.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class SmtpTransport:
    """One per process; each thread that posts has a connection of its own, and connections are kept.

    `journal`: a folder for what is known of requests in flight; None = nothing is kept beyond the process.
    """

    reports = False

    def __init__(
        self,
        server: SmtpServer,
        *,
        helo: str = "",
        journal: Path | None = None,
        dkim: DkimKey | None = None,
        deadline: float = 60.0,
        context: ssl.SSLContext | None = None,
    ) -> None:
        account = f"{server.host}:{server.port}\0{server.username}"
        self.name = f"smtp:{hashlib.sha256(account.encode()).hexdigest()[:16]}"
        self._server = server
        self._helo = helo
        self._journal = Journal(journal)
        self._journal.tidy()
        self._signer = Signer(dkim) if dkim else None
        self._deadline = deadline
        self._context = context
        self._idle: list[Wire] = []

    def encode(self, message: Message, recipients: Sequence[Recipient], *, attempt: UUID) -> Letters:
        return letters(message, recipients, attempt=attempt, signer=self._signer)

    def post(self, body: Letters) -> Outcome:
        try:
            return self._post(body)
        except Exception as error:
            # Nothing of this is expected; a letter may be out.
            log.exception("smtp_broke")
            return Unknown(message=f"{type(error).__name__}: {error}"[:300])

    def recall(self, attempt: UUID) -> Recalled | None:
        found = self._journal.read(attempt)
        if found is None:
            return None
        deliveries, fates = found
        return Recalled(deliveries=deliveries, outcome=smtp_posting.recalled(fates))

    def forget(self, attempt: UUID) -> None:
        self._journal.forget(attempt)

    def _post(self, body: Letters) -> Outcome:
        began = time.clock_gettime(_CLOCK)
        until = began + self._deadline
        record = self._journal.open(body.attempt, [letter.delivery for letter in body.letters])
        posting = Posting(
            body, record, may_go_on=lambda: time.clock_gettime(_CLOCK) - began < self._deadline * _BEGIN_UNTIL
        )
        while True:
            before = posting.progress
            halt = self._deliver(posting, until)
            # A server may end a connection after some letters; a new one goes on while each gets further.
            if halt is None or not halt.again or posting.progress == before:
                return posting.outcome(halt)

    def _deliver(self, posting: Posting, until: float) -> Halt | None:
        try:
            wire = self._wire(until)
        except NotConnected as error:
            return Halt(error.reason, str(error))
        with _hung_up_at(wire, until):
            try:
                posting.deliver(wire)
            except Halt as halt:
                wire.close()
                return halt
            except BaseException:
                wire.close()
                raise
        self._keep(wire)
        return None

    def _wire(self, until: float) -> Wire:
        while (wire := self._kept()) is not None:
            wire.limit(5.0)
            if time.monotonic() - wire.last_used < _MAX_IDLE and wire.is_alive():
                break
            wire.close()
        else:
            left = until - time.clock_gettime(_CLOCK)
            wire = connect(self._server, helo=self._helo, context=self._context, timeout=max(min(10.0, left / 3), 0.1))
        wire.limit(until - time.clock_gettime(_CLOCK))
        return wire

    def _kept(self) -> Wire | None:
        try:
            # Other threads take from here as well: whether there is one is known only once it is taken.
            return self._idle.pop()
        except IndexError:
            return None

    def _keep(self, wire: Wire) -> None:
        wire.last_used = time.monotonic()
        if len(self._idle) < _MAX_KEPT:
            self._idle.append(wire)
        else:
            wire.quit()

    def close(self) -> None:
        """Say goodbye on every idle connection."""
        while (wire := self._kept()) is not None:
            wire.quit()


@contextmanager
def _hung_up_at(wire: Wire, until: float) -> Iterator[None]:
    """A server that sends one byte a second would keep a read alive for ever."""
    alarm = threading.Timer(max(until - time.clock_gettime(_CLOCK), 0.0), wire.hang_up)
    alarm.daemon = True
    alarm.start()
    try:
        yield
    finally:
        alarm.cancel()
