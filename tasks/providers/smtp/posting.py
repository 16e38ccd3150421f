"""Sending the messages of one request over one connection, and knowing of each what became of it.

A message is in doubt only while its end is out and the reply is not in: never more than one at a time, since RFC 2920
demands that DATA ends a group. A cut connection therefore costs one doubt, not a thousand, and the others go on over a new one.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from tasks.http import first_byte
from tasks.mime.messages import MimeMessage, MimeRequest
from tasks.providers.base import Accepted, Outcome, Partial, Reason, Refused, Unknown
from tasks.providers.smtp.connection import Connection, ConnectionLostError, NotHandedOverError, Reply
from tasks.providers.smtp.domains import DomainReplies
from tasks.providers.smtp.envelopes import NOTIFY, envelope
from tasks.providers.smtp.hang_ups import IN_A_ROW, HangUps
from tasks.providers.smtp.journal import Fate, Record
from tasks.providers.smtp.refusal_streak import TEMPORARY_IN_A_ROW, RefusalStreak
from tasks.providers.smtp.replies import (
    StopPostingError,
    closing,
    is_about_the_reader,
    names_no_mailbox,
    refused_sender,
)

#: Readers in doubt after whom a request is not gone on with: a server that hangs up after whole messages leaves one each time.
MOST_DOUBTS = 3
_END = b".\r\n"


class _Planned(NamedTuple):
    """A message that is ready to go out. `ahead`: the next one's envelope, which stands at the end of `whole`."""

    message: MimeMessage
    whole: bytes
    ahead: bytes
    following: MimeMessage | None


class Posting:
    """One request on its way. `may_go_on` tells whether there is time to begin another message."""

    def __init__(
        self, request: MimeRequest, record: Record, *, may_go_on: Callable[[], bool], notify: str = NOTIFY
    ) -> None:
        self._request = request
        self._notify = notify
        self._record = record
        self._may_go_on = may_go_on
        self._accepted: set[int] = set()
        self._unknown: set[int] = set()
        self._refused = {message.position: message.problem for message in request.messages if message.problem}
        self._put_off: dict[int, str] = {}
        self._no_mailbox: set[int] = set()
        self._domains = DomainReplies(request.messages, self._accepted)
        #: How often in a row the server ended a connection with 421 to a reader, how often in all, and to whom the last time.
        self._closings = self._all_closings = 0
        self._closed_at: int | None = None
        self._streak = RefusalStreak(self._domains)
        self._hang_ups = HangUps()
        #: Whether the first envelope has left; the others begin while there is time, over other connections too.
        self._has_begun = False

    @property
    def progress(self) -> int:
        """Grows with each message that the server has answered, whatever it said."""
        return len(self._accepted) + len(self._refused) + len(self._put_off) + self._all_closings + self._hang_ups.count

    def deliver(self, connection: Connection) -> None:
        """Send what is left. Raises StopPostingError when it ends before every message was tried; the connection is then closed."""
        self._hang_ups.asking = None
        try:
            self._deliver(connection)
        except first_byte.TooLateError as late:
            connection.close()
            raise StopPostingError(Reason.NOT_SENT, str(late)) from late
        except ConnectionLostError as cut:
            connection.close()
            self._pass_over(cut)
            raise StopPostingError(Reason.NOT_SENT, str(cut), again=len(self._unknown) < MOST_DOUBTS) from cut
        except BaseException:
            connection.close()
            raise

    def outcome(self, halt: StopPostingError | None) -> Outcome:
        """What became of the request. Never raises."""
        if halt is None or not self._may_go_on():
            done = self._done()
            self._put_off |= {at: why for at, why in self._hang_ups.passed_over.items() if at not in done}
        everyone = frozenset(range(len(self._request.messages)))
        known = self._accepted | self._unknown | self._refused.keys() | self._put_off.keys()
        not_tried = everyone - known
        words = halt.message if halt else next(iter(self._refused.values()), "")
        domains = self._domains.put_off_domains(not_tried | self._put_off.keys())
        if self._accepted == everyone:
            return Accepted(http_status=None, provider_id="")
        if self._unknown == everyone:
            return Unknown(message=words)
        if halt and not_tried == everyone and not domains:
            return Refused(reason=halt.reason, message=words, retry_after=halt.retry_after)
        return Partial(
            accepted=frozenset(self._accepted),
            refused=dict(self._refused),
            put_off=dict(self._put_off),
            not_tried=not_tried,
            unknown=frozenset(self._unknown),
            no_mailbox=frozenset(self._no_mailbox),
            not_asked=frozenset(message.position for message in self._request.messages if message.problem),
            put_off_domains=domains,
            hung_up_at=frozenset(self._hang_ups.positions & self._put_off.keys()),
            reason=halt.reason if halt else None,
            message=words,
            retry_after=halt.retry_after if halt else None,
        )

    def _waiting(self) -> Iterator[MimeMessage]:
        done, last = self._done(), set(self._hang_ups.passed_over)
        messages = self._request.messages
        if self._hang_ups.is_last_doubt:
            # Neighbours may be alike: whether it is the server is asked at the other end.
            messages = messages[::-1]
        for message in sorted(messages, key=lambda message: message.position in last) if last else messages:
            if message.position in done or self._domains.waits(message.position):
                continue
            if not self._may_go_on():
                return
            yield message

    def _deliver(self, connection: Connection) -> None:
        waiting = self._waiting()
        planned = self._plan(connection, next(waiting, None), next(waiting, None))
        if planned is not None and connection.pipelining:
            self._begin()
            connection.write(self._envelope(connection, planned.message))
        while planned is not None:
            current = planned

            def join_the_next(current: _Planned = current) -> "_Planned | None":
                return self._plan(connection, current.following, next(waiting, None))

            no, wants_text = self._open(connection, current.message)
            self._hang_ups.asking = None
            if no is None:
                planned = self._text(connection, current, join_the_next)
            else:
                # An empty text ends what the server opened for nobody; otherwise the sender must be taken back.
                connection.write((_END if wants_text else b"RSET\r\n") + current.ahead)
                planned = join_the_next()
                try:
                    # It says nothing about a message.
                    closing(connection.read())
                except ConnectionLostError:
                    # Said, and then hung up.
                    self._answered(current.message, no, content=False)
                    raise
                self._answered(current.message, no, content=False)
        if not self._may_go_on() and self._left():
            raise _time_is_over()

    def _begin(self) -> None:
        """Called just before an envelope leaves. Raises TooLateError when it would be the first of them, and too late for it."""
        if not self._has_begun:
            first_byte.check()
            self._has_begun = True

    def _plan(
        self, connection: Connection, message: MimeMessage | None, following: MimeMessage | None
    ) -> _Planned | None:
        """Join a message while the server is busy with the one before it."""
        if message is None:
            return None
        ahead = self._envelope(connection, following) if following is not None and connection.pipelining else b""
        whole = self._request.join(message, _END + ahead)
        return _Planned(message, whole, ahead, following)

    def _left(self) -> bool:
        done = self._done() | self._hang_ups.passed_over.keys()
        everyone = range(len(self._request.messages))
        return any(position not in done and not self._domains.waits(position) for position in everyone)

    def _done(self) -> set[int]:
        return self._accepted | self._unknown | self._refused.keys() | self._put_off.keys()

    def _envelope(self, connection: Connection, message: MimeMessage) -> bytes:
        return envelope(message, sender=self._request.sender, notify=self._notify if connection.dsn else "")

    def _open(self, connection: Connection, message: MimeMessage) -> tuple[Reply | None, bool]:
        """The server's no to this message if there is one, and whether it waits for a text. Raises StopPostingError and ConnectionLostError."""
        if connection.pipelining:
            # What it says to MAIL may wait for what it says to the reader.
            self._hang_ups.asking = message.position
            mail = connection.read()
            # A no to MAIL is not about the reader.
            self._hang_ups.asking = None
            refused_sender(mail)
            self._hang_ups.asking = message.position
            rcpt = connection.read()
            # Whoever says 421 closes at once: there is no third reply.
            data = connection.read() if rcpt.code != 421 else rcpt
        else:
            rcpt, data = self._step_by_step(connection, message)
        if rcpt.code not in {250, 251, 252}:
            self._closed_on(message, rcpt)
            if rcpt.code < 400:
                raise ConnectionLostError(f"unexpected reply to RCPT: {rcpt}")
            return rcpt, data.code == 354
        if data.code == 354:
            return None, True
        self._closed_on(message, data)
        if data.code < 400:
            raise ConnectionLostError(f"unexpected reply to DATA: {data}")
        return data, False

    def _step_by_step(self, connection: Connection, message: MimeMessage) -> tuple[Reply, Reply]:
        mail, rcpt, data = self._envelope(connection, message).splitlines(keepends=True)
        self._begin()
        connection.write(mail)
        refused_sender(connection.read())
        self._hang_ups.asking = message.position
        connection.write(rcpt)
        to_rcpt = connection.read()
        if to_rcpt.code not in {250, 251, 252}:
            return to_rcpt, Reply(code=503, text="")
        connection.write(data)
        return to_rcpt, connection.read()

    def _text(
        self, connection: Connection, planned: _Planned, meanwhile: Callable[[], _Planned | None]
    ) -> _Planned | None:
        """Send a text and judge the reply; what `meanwhile` returns."""
        message = planned.message
        if not self._may_go_on():
            # Suspended since it was planned: its batch may be another worker's by now.
            raise _time_is_over()
        self._record[message.position] = Fate.IN_DOUBT
        self._unknown.add(message.position)
        try:
            connection.write_message(planned.whole, len(planned.whole) - len(planned.ahead))
        except NotHandedOverError:
            # It cannot have been accepted; perhaps the server said why before it closed.
            self._settled(message.position, Fate.NOT_SENT)
            self._answered(message, connection.read(), content=True)
            raise
        after = meanwhile()
        reply = connection.read()
        if reply.code == 250:
            self._settled(message.position, Fate.ACCEPTED)
            self._accepted.add(message.position)
            self._hang_ups.accept(message.position)
            self._domains.accept(message.position)
            self._streak.end()
            self._closings = 0
            return after
        if not 400 <= reply.code < 600:
            raise ConnectionLostError(f"unexpected reply to a message: {reply}")
        self._settled(message.position, Fate.NOT_SENT)
        self._answered(message, reply, content=True)
        return after

    def _settled(self, position: int, fate: Fate) -> None:
        self._record[position] = fate
        self._unknown.discard(position)

    def _pass_over(self, cut: ConnectionLostError) -> None:
        """Go on with the others where the connection ended at one reader without a word. Raises StopPostingError where it is not about that one."""
        position = self._hang_ups.asking
        if position is None:
            return
        if self._hang_ups.note(position, str(cut)):
            self._put_off[position] = str(cut)
        # When all the others have had their turn and some were accepted, those who are left are the reason.
        elif self._hang_ups.are_many and (self._left() or not self._accepted):
            self._hang_ups.acquit()
            raise StopPostingError(Reason.NOT_SENT, f"The connection ended {IN_A_ROW} times in a row: {cut}") from cut

    def _closed_on(self, message: MimeMessage, reply: Reply) -> None:
        """Raise ConnectionLostError when the server ends the connection with its no to this message.

        Said to the same reader twice, or to one whose domain it has just put off, it is about them: any other has another try.
        """
        if reply.code != 421:
            return
        self._hang_ups.asking = None
        self._all_closings += 1
        self._closings += 1
        if message.position == self._closed_at or self._domains.has_refused(message.position):
            self._put_off[message.position] = str(reply)
            self._domains.put_off(message.position, reply)
            self._count(message.position, reply, content=False)
        self._closed_at = message.position
        if self._closings >= TEMPORARY_IN_A_ROW:
            raise self._about_us(Reason.NOT_SENT, reply)
        raise ConnectionLostError(str(reply))

    def _answered(self, message: MimeMessage, reply: Reply, *, content: bool) -> None:
        """A no to this message, which was surely not accepted. Raises StopPostingError when it is not about this message alone."""
        self._closed_on(message, reply)
        if not 400 <= reply.code < 600:
            raise ConnectionLostError(f"unexpected reply: {reply}")
        permanent = reply.code >= 500
        (self._refused if permanent else self._put_off)[message.position] = str(reply)
        if not permanent:
            self._domains.put_off(message.position, reply)
        if not content and is_about_the_reader(reply):
            if names_no_mailbox(reply):
                self._no_mailbox.add(message.position)
            return
        self._count(message.position, reply, content=content)

    def _count(self, position: int, reply: Reply, *, content: bool) -> None:
        """One more in a row. Raises StopPostingError when so many are not about their readers."""
        if self._streak.count(position, reply, content=content):
            raise self._about_us(Reason.NOT_ACCEPTABLE if reply.code >= 500 else Reason.TOO_MANY, reply)

    def _about_us(self, reason: Reason, reply: Reply) -> StopPostingError:
        """Whoever was refused in a row was not the reason."""
        for position in self._streak.positions:
            self._refused.pop(position, None)
            self._put_off.pop(position, None)
        # Nobody's, where the server ended each connection at readers of one domain.
        number = len(self._streak.positions) or self._closings
        return StopPostingError(reason, f"{number} messages in a row were refused; the last time: {reply}")


def _time_is_over() -> StopPostingError:
    return StopPostingError(Reason.NOT_SENT, "The time for one request was over.", retry_after=0.0)
