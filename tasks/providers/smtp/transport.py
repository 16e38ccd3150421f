"""Any SMTP server: a relay of one's own, a provider's submission port.

SMTP answers for each recipient and reports of single mails at most: an outcome is `Partial` as soon as two recipients fare
differently, and what stays in doubt waits for a delivery report or a person (docs/how-to/send-through-smtp.md).
"""

import hashlib
import ssl
import time
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import structlog

from newsdesk.core.environment import DkimKey, SmtpServer
from tasks.messages import Message, Recipient
from tasks.mime.dkim import Signer
from tasks.mime.envelope_ids import EnvelopeIds
from tasks.mime.messages import MimeRequest, encode_messages
from tasks.providers.base import JournalRecord, Outcome, Unknown
from tasks.providers.smtp import envelopes
from tasks.providers.smtp.connection import Connection, NotConnectedError, connect
from tasks.providers.smtp.hanging_up import hung_up_after
from tasks.providers.smtp.journal import Journal, outcome_of
from tasks.providers.smtp.posting import Posting
from tasks.providers.smtp.replies import StopPostingError

log = structlog.get_logger(__name__)

#: Of the seconds a request may take, the share after which no further message is begun: the rest is for the last reply.
_BEGIN_UNTIL = 0.7
#: An idle connection is asked whether it lives (NOOP) before it is used; after this many seconds it is not even asked.
_MAX_IDLE = 60.0
_MAX_KEPT = 16
#: Goes on while the machine sleeps, where the system has such a clock: whoever was suspended sends nothing more.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class SmtpTransport:
    """One per process; each thread that posts has a connection of its own, and connections are kept.

    `journal`: a folder for what is known of requests in flight; None = nothing is kept beyond the process. `envelope_ids`:
    what seals the ids by which delivery reports name our mails; None = they carry none. `success_reports`: ask also for a
    report of each mail that arrives.
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
        envelope_ids: EnvelopeIds | None = None,
        success_reports: bool = False,
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
        self._envelope_ids = envelope_ids
        self._notify = envelopes.NOTIFY_OF_ALL if success_reports else envelopes.NOTIFY
        self._idle: list[Connection] = []

    def encode(self, message: Message, recipients: Sequence[Recipient], *, attempt: UUID) -> MimeRequest:
        return encode_messages(
            message, recipients, attempt=attempt, signer=self._signer, envelope_ids=self._envelope_ids
        )

    def post(self, body: MimeRequest) -> Outcome:
        try:
            return self._post(body)
        except Exception as error:
            # Nothing of this is expected; a message may be out.
            log.exception("smtp_broke")
            return Unknown(message=f"{type(error).__name__}: {error}"[:300])

    def recall(self, attempt: UUID) -> JournalRecord | None:
        record = self._journal.read(attempt)
        if record is None:
            return None
        deliveries, fates = record
        return JournalRecord(deliveries=deliveries, outcome=outcome_of(fates))

    def forget(self, attempt: UUID) -> None:
        self._journal.forget(attempt)

    def _post(self, body: MimeRequest) -> Outcome:
        began = time.clock_gettime(_CLOCK)
        until = began + self._deadline
        record = self._journal.open(body.attempt, [message.delivery for message in body.messages])
        posting = Posting(
            body,
            record,
            may_go_on=lambda: time.clock_gettime(_CLOCK) - began < self._deadline * _BEGIN_UNTIL,
            notify=self._notify,
        )
        while True:
            before = posting.progress
            halt = self._deliver(posting, until)
            # A server may end a connection after some messages; a new one goes on while each gets further.
            if halt is None or not halt.again or posting.progress == before:
                return posting.outcome(halt)

    def _deliver(self, posting: Posting, until: float) -> StopPostingError | None:
        try:
            connection = self._wire(until)
        except NotConnectedError as error:
            return StopPostingError(error.reason, str(error))
        # A server that sends one byte a second would keep a read alive for ever.
        with hung_up_after(until - time.clock_gettime(_CLOCK), connection.hang_up):
            try:
                posting.deliver(connection)
            except StopPostingError as halt:
                connection.close()
                return halt
            except BaseException:
                connection.close()
                raise
        self._keep(connection)
        return None

    def _wire(self, until: float) -> Connection:
        while (connection := self._kept()) is not None:
            connection.limit(5.0)
            if time.monotonic() - connection.last_used < _MAX_IDLE and connection.is_alive():
                break
            connection.close()
        else:
            left = until - time.clock_gettime(_CLOCK)
            connection = connect(
                self._server, helo=self._helo, context=self._context, timeout=max(min(10.0, left / 3), 0.1)
            )
        connection.limit(until - time.clock_gettime(_CLOCK))
        return connection

    def _kept(self) -> Connection | None:
        try:
            # Other threads take from here as well: whether there is one is known only once it is taken.
            return self._idle.pop()
        except IndexError:
            return None

    def _keep(self, connection: Connection) -> None:
        connection.last_used = time.monotonic()
        if len(self._idle) < _MAX_KEPT:
            self._idle.append(connection)
        else:
            connection.quit()

    def close(self) -> None:
        """Say goodbye on every idle connection."""
        while (connection := self._kept()) is not None:
            connection.quit()
