"""A mail server that takes a run's mails over SMTP and fails as it is told; where it offers DSN it reports what became of each."""

import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.chaos.judge import Accepted
from tests.chaos.mail_plans import DOMAIN_LATER, GREYLIST, HELD, LATENCY, REPLIES, SLOW_DOMAIN
from tests.chaos.plans import Plan
from tests.chaos.providers import Doubt, Faults, Reader
from tests.chaos.questions import DOUBTS_OF_READERS, MEMBERS
from tests.smtp_server import Kept, SmtpSink

if TYPE_CHECKING:
    from tests.chaos.house import House

#: Reports handed over at once.
_AT_ONCE = 200


@dataclass(frozen=True)
class _Taken:
    delivery: str
    edition: int
    at: float


class MailServer:
    """Lives in this process, so that nothing that befalls the house befalls it. `sink` is the server itself."""

    by_reader = True

    def __init__(self, sink: SmtpSink) -> None:
        self.sink = sink
        sink.script = self._script
        self._house: House | None = None
        self._guard = threading.Lock()
        self._dice = random.Random(0)
        self._faults: Faults = []
        self._struck: Counter[str] = Counter()
        self._latency = 0.0
        self._greylisted: set[str] = set()
        self._later_until = 0.0
        #: When each message was kept, by its place in `sink.kept`.
        self._times: list[float] = []
        self._reports = self._withheld = False
        self._share_duplicated = self._share_failed = 0.0
        #: How many of what is kept were reported, and which of these as delivered.
        self._reported = 0
        self._delivered: set[str] = set()

    def serve(self, house: "House") -> None:
        self._house = house

    @property
    def house(self) -> "House":
        assert self._house is not None
        return self._house

    # -- what a run does with it

    def begin(self, plan: Plan) -> None:
        self.sink.hang_up_on_all()
        with self._guard:
            self._dice = random.Random(f"{plan.seed}/mail server")
            self._faults, self._struck, self._latency = [], Counter(), 0.0
            self._greylisted.clear()
            self._later_until = 0.0
            self.sink.kept.clear()
            self._times.clear()
            self._reported, self._delivered = 0, set()
        self.sink.dsn = self._reports = bool(plan.webhooks["reports"])
        self._withheld = plan.withheld > 0
        self._share_duplicated, self._share_failed = plan.webhooks["duplicate"], plan.webhooks["failed"]

    def misbehave(self, faults: Faults) -> None:
        with self._guard:
            self._latency = next((fault["seconds"] for fault in faults if fault["kind"] == LATENCY), 0.0)
            self._faults = [{**fault, "left": fault.get("times", 0)} for fault in faults if fault["kind"] != LATENCY]

    def take_faults(self) -> Faults:
        with self._guard:
            left = [{**fault, "times": fault["left"]} for fault in self._faults if fault["left"]]
            self._faults, self._latency = [], 0.0
        return left

    def struck(self) -> Counter[str]:
        return self._struck

    def let_reports_out(self) -> None:
        self._withheld = False

    def report(self) -> None:
        if not self._reports or self._withheld:
            return
        kept = self.sink.kept[self._reported : self._reported + _AT_ONCE]
        if not kept:
            return
        about = [self._what_became_of(one) for one in kept]
        about += [one for one in about if self._dice.random() < self._share_duplicated]
        self._dice.shuffle(about)
        self.house.do("take_in_reports", about=about)
        self._reported += len(kept)
        self._delivered |= {one["envelope"] for one in about if one["action"] == "delivered"}

    def report_as_a_stranger(self, readers: Sequence[Reader]) -> bool:
        """Anybody may write such a mail, but nobody else can seal its id."""
        about = [
            {"envelope": self._dice.randbytes(54).hex()[:72], "address": address, "action": "failed", "status": "5.1.1"}
            for _, address, _ in readers
        ]
        self.house.do("take_in_reports", about=about)
        return True

    def is_quiet(self) -> bool:
        return not self._reports or (not self._withheld and self._reported == len(self.sink.kept))

    def forgets(self, what: str) -> bool:
        return False

    def doubts(self, edition: int) -> list[Doubt]:
        return [(batch, attempt) for batch, attempt in self.house.rows(DOUBTS_OF_READERS, [edition])]

    def looked_up(self, doubts: Sequence[Doubt], edition: int, decided: str) -> dict[Doubt, str]:
        """Without reports its log is all there is: whose mail stands there is left alone. With them the log decides nothing."""
        known = {one.delivery for one in self.accepted(edition)}
        decisions = {}
        for batch, attempt in doubts:
            members = {delivery for (delivery,) in self.house.rows(MEMBERS, [batch])}
            stands_there = "" if self._reports else "leave"
            decisions[batch, attempt] = stands_there if members & known else decided
        return decisions

    def accepted(self, edition: int) -> list[Accepted]:
        with self._guard:
            kept = list(zip(self.sink.kept, self._times, strict=True))
        opened = self.house.do("open_envelopes", sealed=[_envelope(one) for one, _ in kept])
        return [
            Accepted(address=one.recipient, delivery=delivery, attempt=attempt, at=at)
            for (one, at), (delivery, attempt) in zip(kept, opened, strict=True)
        ]

    def delivered(self, edition: int) -> int:
        return len(self._delivered)

    # -- what it does to its clients

    def _script(self, stage: str, _number: int, recipient: str) -> str:
        with self._guard:
            fault = self._chosen(stage, recipient)
        if stage == "text":
            time.sleep(self._latency)
        if fault is None:
            reply = ""
        elif fault["kind"] in HELD:
            time.sleep(fault["seconds"])
            reply = REPLIES[fault["kind"]][1]
        else:
            reply = REPLIES[fault["kind"]][1]
        if stage == "text" and self.sink.keeps(reply):
            with self._guard:
                self._times.append(time.time())
        return reply

    def _chosen(self, stage: str, recipient: str) -> dict[str, Any] | None:
        for fault in self._faults:
            if REPLIES[fault["kind"]][0] != stage or not fault["left"]:
                continue
            if fault["kind"] == DOMAIN_LATER:
                strikes = self._says_later(fault, recipient)
            elif fault["kind"] == GREYLIST:
                strikes = recipient not in self._greylisted and self._dice.random() < fault["probability"]
                self._greylisted.add(recipient)
            else:
                strikes = self._dice.random() < fault["probability"]
            if strikes:
                self._struck[fault["kind"]] += 1
                if fault["kind"] != DOMAIN_LATER:
                    fault["left"] -= 1
                return fault
        return None

    def _says_later(self, fault: dict[str, Any], recipient: str) -> bool:
        """To all of a domain, for some seconds after the first."""
        if not recipient.endswith(f"@{SLOW_DOMAIN}"):
            return False
        now = time.monotonic()
        self._later_until = self._later_until or now + fault["seconds"]
        return now < self._later_until

    def _what_became_of(self, kept: Kept) -> dict[str, str]:
        failed = self._dice.random() < self._share_failed
        return {
            "envelope": _envelope(kept),
            "address": kept.recipient,
            "action": "failed" if failed else "delivered",
            # A full mailbox: nobody is suppressed for it.
            "status": "5.2.2" if failed else "2.0.0",
        }


def _envelope(kept: Kept) -> str:
    head = kept.message.partition(b"\r\n\r\n")[0]
    lines = [line for line in head.split(b"\r\n") if line.startswith(b"X-Newsdesk-Envelope: ")]
    return lines[0].split(b" ", 1)[1].decode() if lines else ""
