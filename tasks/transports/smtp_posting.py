"""Sending the letters of one request over one connection, and knowing of each what became of it.

A letter is in doubt only while its end is out and the reply is not in: never more than one at a time, since RFC 2920
demands that DATA ends a group. A cut connection therefore costs one doubt, not a thousand.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from tasks.transports.base import Accepted, Divided, Outcome, Reason, Refused, Unknown
from tasks.transports.journal import Fate, Record
from tasks.transports.letters import Letter, Letters
from tasks.transports.smtp_wire import Cut, NotHandedOver, Reply, Wire

#: That many refusals in a row with nothing accepted between them are about us, not about the readers. A reply that
#: names the mailbox (RFC 3463: x.1.y, x.2.y) is never counted.
REFUSALS_IN_A_ROW = 20
#: The text is the same for everybody: a server that refuses it three times in a row refuses it.
CONTENT_REFUSALS_IN_A_ROW = 3
TEMPORARY_IN_A_ROW = 10
_END = b".\r\n"


class Halt(Exception):  # noqa: N818 - an outcome
    """No further letter is tried. `again`: a new connection may go on at once."""

    def __init__(self, reason: Reason, message: str, *, again: bool = False, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.again = again
        self.retry_after = retry_after


class _Planned(NamedTuple):
    """A letter that is ready to go out. `ahead`: the next one's envelope, which stands at the end of `whole`."""

    letter: Letter
    whole: bytes
    ahead: bytes
    following: Letter | None


class Posting:
    """One request on its way. `may_go_on` tells whether there is time to begin another letter."""

    def __init__(self, letters: Letters, record: Record, *, may_go_on: Callable[[], bool]) -> None:
        self._letters = letters
        self._record = record
        self._may_go_on = may_go_on
        self._accepted: set[int] = set()
        self._unknown: set[int] = set()
        self._refused = {letter.position: letter.problem for letter in letters.letters if letter.problem}
        self._put_off: dict[int, str] = {}
        #: Refusals in a row of one kind: (permanent, of the text).
        self._streak: list[int] = []
        self._streak_kind = (False, False)

    @property
    def progress(self) -> int:
        """Letters that were accepted."""
        return len(self._accepted)

    def deliver(self, wire: Wire) -> None:
        """Send what is left. Raises Halt when it ends before every letter was tried; the connection is then closed."""
        try:
            self._deliver(wire)
        except Cut as cut:
            wire.close()
            raise Halt(Reason.NOT_SENT, str(cut), again=not self._unknown) from cut
        except BaseException:
            wire.close()
            raise

    def outcome(self, halt: Halt | None) -> Outcome:
        """What became of the request. Never raises."""
        everyone = frozenset(range(len(self._letters.letters)))
        known = self._accepted | self._unknown | self._refused.keys() | self._put_off.keys()
        not_tried = everyone - known
        words = halt.message if halt else next(iter(self._refused.values()), "")
        if self._accepted == everyone:
            return Accepted(http_status=None, provider_id="")
        if self._unknown == everyone:
            return Unknown(message=words)
        if halt and not_tried == everyone:
            return Refused(reason=halt.reason, message=words, retry_after=halt.retry_after)
        return Divided(
            accepted=frozenset(self._accepted),
            refused=dict(self._refused),
            put_off=dict(self._put_off),
            not_tried=not_tried,
            unknown=frozenset(self._unknown),
            reason=halt.reason if halt else None,
            message=words,
            retry_after=halt.retry_after if halt else None,
        )

    def _waiting(self) -> Iterator[Letter]:
        done = self._accepted | self._unknown | self._refused.keys() | self._put_off.keys()
        for letter in self._letters.letters:
            if letter.position in done:
                continue
            if not self._may_go_on():
                return
            yield letter

    def _deliver(self, wire: Wire) -> None:
        waiting = self._waiting()
        planned = self._plan(wire, next(waiting, None), next(waiting, None))
        if planned is not None and wire.pipelining:
            wire.write(self._envelope(planned.letter))
        while planned is not None:
            current = planned

            def join_the_next(current: _Planned = current) -> "_Planned | None":
                return self._plan(wire, current.following, next(waiting, None))

            no, wants_text = self._open(wire, current.letter)
            if no is None:
                planned = self._text(wire, current, join_the_next)
            else:
                # An empty text ends what the server opened for nobody; otherwise the sender must be taken back.
                wire.write((_END if wants_text else b"RSET\r\n") + current.ahead)
                planned = join_the_next()
                _ended(wire.read())
                self._answered(current.letter, no, content=False)
        if not self._may_go_on() and self._left():
            raise Halt(Reason.NOT_SENT, "The time for one request was over.", retry_after=0.0)

    def _plan(self, wire: Wire, letter: Letter | None, following: Letter | None) -> _Planned | None:
        """Join a letter while the server is busy with the one before it."""
        if letter is None:
            return None
        ahead = self._envelope(following) if following is not None and wire.pipelining else b""
        whole = self._letters.join(letter, _END + ahead)
        return _Planned(letter, whole, ahead, following)

    def _left(self) -> bool:
        done = len(self._accepted) + len(self._unknown) + len(self._refused) + len(self._put_off)
        return done < len(self._letters.letters)

    def _envelope(self, letter: Letter) -> bytes:
        return f"MAIL FROM:<{self._letters.sender}>\r\nRCPT TO:<{letter.address}>\r\nDATA\r\n".encode()

    def _open(self, wire: Wire, letter: Letter) -> tuple[Reply | None, bool]:
        """The server's no to this letter if there is one, and whether it waits for a text. Raises Halt and Cut."""
        if wire.pipelining:
            mail, rcpt, data = wire.read(), wire.read(), wire.read()
        else:
            mail, rcpt, data = self._step_by_step(wire, letter)
        _refused_sender(mail)
        if rcpt.code not in {250, 251, 252}:
            _closing(rcpt)
            if rcpt.code < 400:
                raise Cut(f"unexpected reply to RCPT: {rcpt}")
            return rcpt, data.code == 354
        if data.code == 354:
            return None, True
        _closing(data)
        if data.code < 400:
            raise Cut(f"unexpected reply to DATA: {data}")
        return data, False

    def _step_by_step(self, wire: Wire, letter: Letter) -> tuple[Reply, Reply, Reply]:
        mail, rcpt, data = self._envelope(letter).splitlines(keepends=True)
        wire.write(mail)
        to_mail = wire.read()
        _refused_sender(to_mail)
        wire.write(rcpt)
        to_rcpt = wire.read()
        if to_rcpt.code not in {250, 251, 252}:
            return to_mail, to_rcpt, Reply(code=503, text="")
        wire.write(data)
        return to_mail, to_rcpt, wire.read()

    def _text(self, wire: Wire, planned: _Planned, meanwhile: Callable[[], _Planned | None]) -> _Planned | None:
        """Send a text and judge the reply; what `meanwhile` returns."""
        letter = planned.letter
        self._record[letter.position] = Fate.IN_DOUBT
        self._unknown.add(letter.position)
        try:
            wire.write_message(planned.whole, len(planned.whole) - len(planned.ahead))
        except NotHandedOver:
            # It cannot have been accepted; perhaps the server said why before it closed.
            self._settled(letter.position, Fate.NOT_SENT)
            self._answered(letter, wire.read(), content=True)
            raise
        after = meanwhile()
        reply = wire.read()
        if reply.code == 250:
            self._settled(letter.position, Fate.ACCEPTED)
            self._accepted.add(letter.position)
            self._streak.clear()
            return after
        if not 400 <= reply.code < 600:
            raise Cut(f"unexpected reply to a message: {reply}")
        self._settled(letter.position, Fate.NOT_SENT)
        self._answered(letter, reply, content=True)
        return after

    def _settled(self, position: int, fate: Fate) -> None:
        self._record[position] = fate
        self._unknown.discard(position)

    def _answered(self, letter: Letter, reply: Reply, *, content: bool) -> None:
        """A no to this letter, which was surely not accepted. Raises Halt when it is not about this letter alone."""
        _closing(reply)
        if not 400 <= reply.code < 600:
            raise Cut(f"unexpected reply: {reply}")
        permanent = reply.code >= 500
        (self._refused if permanent else self._put_off)[letter.position] = str(reply)
        if reply.text.startswith(("5.1.", "5.2.", "4.1.", "4.2.")) and not content:
            return
        if self._streak_kind != (permanent, content):
            self._streak.clear()
        self._streak_kind = (permanent, content)
        self._streak.append(letter.position)
        limit = TEMPORARY_IN_A_ROW
        if permanent:
            limit = CONTENT_REFUSALS_IN_A_ROW if content else REFUSALS_IN_A_ROW
        if len(self._streak) >= limit:
            for position in self._streak:
                self._refused.pop(position, None)
                self._put_off.pop(position, None)
            reason = Reason.NOT_ACCEPTABLE if permanent else Reason.TOO_MANY
            raise Halt(reason, f"{len(self._streak)} letters in a row were refused; the last time: {reply}")


def _refused_sender(mail: Reply) -> None:
    """Anything but a yes to MAIL stops everything: the sender is the same for all."""
    if mail.code == 250:
        return
    _closing(mail)
    if mail.code < 400:
        raise Cut(f"unexpected reply to MAIL: {mail}")
    if mail.code < 500:
        raise Halt(Reason.TOO_MANY, f"The sender was put off: {mail}")
    raise Halt(Reason.NOT_ALLOWED, f"The sender was refused: {mail}")


def _ended(reply: Reply) -> None:
    """The reply to RSET, or to an empty text, says nothing about a letter."""
    _closing(reply)


def _closing(reply: Reply) -> None:
    if reply.code == 421:
        raise Cut(str(reply))


def recalled(fates: tuple[Fate, ...]) -> Outcome:
    """What a journal says, as an outcome."""
    groups = {fate: frozenset(at for at, one in enumerate(fates) if one is fate) for fate in Fate}
    words = "The worker died while it was sending."
    if len(groups[Fate.ACCEPTED]) == len(fates):
        return Accepted(http_status=None, provider_id="")
    if len(groups[Fate.IN_DOUBT]) == len(fates):
        return Unknown(message=words)
    if len(groups[Fate.NOT_SENT]) == len(fates):
        return Refused(reason=Reason.NOT_SENT, message=words)
    return Divided(
        accepted=groups[Fate.ACCEPTED],
        refused={},
        put_off={},
        not_tried=groups[Fate.NOT_SENT],
        unknown=groups[Fate.IN_DOUBT],
        reason=Reason.NOT_SENT,
        message=words,
        retry_after=0.0,
    )
