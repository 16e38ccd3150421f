"""Sending the messages of one request over one connection, and knowing of each what became of it.

A message is in doubt only while its end is out and the reply is not in: never more than one at a time, since RFC 2920
demands that DATA ends a group. A cut connection therefore costs one doubt, not a thousand, and the others go on over a new one.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from newsdesk.core.errors import ProviderError
from tasks.mime.messages import MimeMessage, MimeRequest
from tasks.providers.base import Accepted, Outcome, Partial, Reason, Refused, Unknown
from tasks.providers.smtp.connection import Connection, ConnectionLostError, NotHandedOverError, Reply
from tasks.providers.smtp.envelopes import NOTIFY, envelope
from tasks.providers.smtp.journal import Fate, Record
from tasks.providers.smtp.status_codes import has_code, is_about_the_reader, no_mailbox

#: Readers in doubt after whom a request is not gone on with: a server that hangs up after whole messages leaves one each time.
MOST_DOUBTS = 3
#: That many refusals in a row with nothing accepted between them are about us, not about the readers. A reply to a recipient
#: that is about the mailbox (RFC 3463: x.1.y, x.2.y) is never counted, nor one that says "later" to this very reader, as a
#: greylisting server does (RFC 6647): with 4.7.y, or with 450 or 451 and no code at all.
REFUSALS_IN_A_ROW = 20
#: The text is the same for everybody: a server that refuses it three times in a row refuses it.
CONTENT_REFUSALS_IN_A_ROW = 3
TEMPORARY_IN_A_ROW = 10
_END = b".\r\n"


class StopPostingError(ProviderError):
    """No further message is tried. `again`: a new connection may go on at once."""

    def __init__(self, reason: Reason, message: str, *, again: bool = False, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.again = again
        self.retry_after = retry_after


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
        #: Refusals in a row of one kind: (permanent, of the text).
        self._streak: list[int] = []
        self._streak_kind = (False, False)

    @property
    def progress(self) -> int:
        """Messages that the server has answered, whatever it said."""
        return len(self._accepted) + len(self._refused) + len(self._put_off)

    def deliver(self, connection: Connection) -> None:
        """Send what is left. Raises Halt when it ends before every message was tried; the connection is then closed."""
        try:
            self._deliver(connection)
        except ConnectionLostError as cut:
            connection.close()
            raise StopPostingError(Reason.NOT_SENT, str(cut), again=len(self._unknown) < MOST_DOUBTS) from cut
        except BaseException:
            connection.close()
            raise

    def outcome(self, halt: StopPostingError | None) -> Outcome:
        """What became of the request. Never raises."""
        everyone = frozenset(range(len(self._request.messages)))
        known = self._accepted | self._unknown | self._refused.keys() | self._put_off.keys()
        not_tried = everyone - known
        words = halt.message if halt else next(iter(self._refused.values()), "")
        if self._accepted == everyone:
            return Accepted(http_status=None, provider_id="")
        if self._unknown == everyone:
            return Unknown(message=words)
        if halt and not_tried == everyone:
            return Refused(reason=halt.reason, message=words, retry_after=halt.retry_after)
        return Partial(
            accepted=frozenset(self._accepted),
            refused=dict(self._refused),
            put_off=dict(self._put_off),
            not_tried=not_tried,
            unknown=frozenset(self._unknown),
            no_mailbox=frozenset(self._no_mailbox),
            reason=halt.reason if halt else None,
            message=words,
            retry_after=halt.retry_after if halt else None,
        )

    def _waiting(self) -> Iterator[MimeMessage]:
        done = self._accepted | self._unknown | self._refused.keys() | self._put_off.keys()
        for message in self._request.messages:
            if message.position in done:
                continue
            if not self._may_go_on():
                return
            yield message

    def _deliver(self, connection: Connection) -> None:
        waiting = self._waiting()
        planned = self._plan(connection, next(waiting, None), next(waiting, None))
        if planned is not None and connection.pipelining:
            connection.write(self._envelope(connection, planned.message))
        while planned is not None:
            current = planned

            def join_the_next(current: _Planned = current) -> "_Planned | None":
                return self._plan(connection, current.following, next(waiting, None))

            no, wants_text = self._open(connection, current.message)
            if no is None:
                planned = self._text(connection, current, join_the_next)
            else:
                # An empty text ends what the server opened for nobody; otherwise the sender must be taken back.
                connection.write((_END if wants_text else b"RSET\r\n") + current.ahead)
                planned = join_the_next()
                _ended(connection.read())
                self._answered(current.message, no, content=False)
        if not self._may_go_on() and self._left():
            raise StopPostingError(Reason.NOT_SENT, "The time for one request was over.", retry_after=0.0)

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
        done = len(self._accepted) + len(self._unknown) + len(self._refused) + len(self._put_off)
        return done < len(self._request.messages)

    def _envelope(self, connection: Connection, message: MimeMessage) -> bytes:
        return envelope(message, sender=self._request.sender, notify=self._notify if connection.dsn else "")

    def _open(self, connection: Connection, message: MimeMessage) -> tuple[Reply | None, bool]:
        """The server's no to this message if there is one, and whether it waits for a text. Raises Halt and Cut."""
        if connection.pipelining:
            mail, rcpt, data = connection.read(), connection.read(), connection.read()
        else:
            mail, rcpt, data = self._step_by_step(connection, message)
        _refused_sender(mail)
        if rcpt.code not in {250, 251, 252}:
            _closing(rcpt)
            if rcpt.code < 400:
                raise ConnectionLostError(f"unexpected reply to RCPT: {rcpt}")
            return rcpt, data.code == 354
        if data.code == 354:
            return None, True
        _closing(data)
        if data.code < 400:
            raise ConnectionLostError(f"unexpected reply to DATA: {data}")
        return data, False

    def _step_by_step(self, connection: Connection, message: MimeMessage) -> tuple[Reply, Reply, Reply]:
        mail, rcpt, data = self._envelope(connection, message).splitlines(keepends=True)
        connection.write(mail)
        to_mail = connection.read()
        _refused_sender(to_mail)
        connection.write(rcpt)
        to_rcpt = connection.read()
        if to_rcpt.code not in {250, 251, 252}:
            return to_mail, to_rcpt, Reply(code=503, text="")
        connection.write(data)
        return to_mail, to_rcpt, connection.read()

    def _text(
        self, connection: Connection, planned: _Planned, meanwhile: Callable[[], _Planned | None]
    ) -> _Planned | None:
        """Send a text and judge the reply; what `meanwhile` returns."""
        message = planned.message
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
            self._streak.clear()
            return after
        if not 400 <= reply.code < 600:
            raise ConnectionLostError(f"unexpected reply to a message: {reply}")
        self._settled(message.position, Fate.NOT_SENT)
        self._answered(message, reply, content=True)
        return after

    def _settled(self, position: int, fate: Fate) -> None:
        self._record[position] = fate
        self._unknown.discard(position)

    def _answered(self, message: MimeMessage, reply: Reply, *, content: bool) -> None:
        """A no to this message, which was surely not accepted. Raises Halt when it is not about this message alone."""
        _closing(reply)
        if not 400 <= reply.code < 600:
            raise ConnectionLostError(f"unexpected reply: {reply}")
        permanent = reply.code >= 500
        (self._refused if permanent else self._put_off)[message.position] = str(reply)
        if not content and _is_about_the_reader(reply):
            if permanent and no_mailbox(reply.text):
                self._no_mailbox.add(message.position)
            return
        if self._streak_kind != (permanent, content):
            self._streak.clear()
        self._streak_kind = (permanent, content)
        self._streak.append(message.position)
        limit = TEMPORARY_IN_A_ROW
        if permanent:
            limit = CONTENT_REFUSALS_IN_A_ROW if content else REFUSALS_IN_A_ROW
        if len(self._streak) >= limit:
            for position in self._streak:
                self._refused.pop(position, None)
                self._put_off.pop(position, None)
            reason = Reason.NOT_ACCEPTABLE if permanent else Reason.TOO_MANY
            raise StopPostingError(
                reason, f"{len(self._streak)} messages in a row were refused; the last time: {reply}"
            )


def _is_about_the_reader(reply: Reply) -> bool:
    """Whether this no to a recipient is about that one: the next may fare better."""
    return is_about_the_reader(reply.text) if has_code(reply.text) else reply.code in {450, 451}


def _refused_sender(mail: Reply) -> None:
    """Anything but a yes to MAIL stops everything: the sender is the same for all."""
    if mail.code == 250:
        return
    _closing(mail)
    if mail.code < 400:
        raise ConnectionLostError(f"unexpected reply to MAIL: {mail}")
    if mail.code < 500:
        raise StopPostingError(Reason.TOO_MANY, f"The sender was put off: {mail}")
    raise StopPostingError(Reason.NOT_ALLOWED, f"The sender was refused: {mail}")


def _ended(reply: Reply) -> None:
    """The reply to RSET, or to an empty text, says nothing about a message."""
    _closing(reply)


def _closing(reply: Reply) -> None:
    if reply.code == 421:
        raise ConnectionLostError(str(reply))


def outcome_of(fates: tuple[Fate, ...]) -> Outcome:
    """What a journal says, as an outcome."""
    groups = {fate: frozenset(at for at, one in enumerate(fates) if one is fate) for fate in Fate}
    words = "The worker died while it was sending."
    if len(groups[Fate.ACCEPTED]) == len(fates):
        return Accepted(http_status=None, provider_id="")
    if len(groups[Fate.IN_DOUBT]) == len(fates):
        return Unknown(message=words)
    if len(groups[Fate.NOT_SENT]) == len(fates):
        return Refused(reason=Reason.NOT_SENT, message=words)
    return Partial(
        accepted=groups[Fate.ACCEPTED],
        refused={},
        put_off={},
        not_tried=groups[Fate.NOT_SENT],
        unknown=groups[Fate.IN_DOUBT],
        reason=Reason.NOT_SENT,
        message=words,
        retry_after=0.0,
    )
