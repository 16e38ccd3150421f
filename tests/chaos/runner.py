"""Carries out one plan against a running house, and gathers both accounts of it for the judge."""

import heapq
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from tests.chaos import disasters
from tests.chaos.accounts import our_account, true_time
from tests.chaos.house import House
from tests.chaos.judge import Account, judge
from tests.chaos.lost_database import LostDatabase
from tests.chaos.person import Person
from tests.chaos.plans import Act, Plan
from tests.chaos.questions import ANY_READERS, QUIET, SENDS
from tests.chaos.readers import Readers
from tests.chaos.result import Result

POLL = 0.1
#: Seconds until it is asked again whether the audience is frozen: a database that was copied before has nothing to send.
UNTIL_PREPARED = 0.2


class Run:
    """One plan under way."""

    def __init__(self, house: House, plan: Plan) -> None:
        self.house = house
        self.plan = plan
        self._dice = random.Random(f"{plan.seed}/run")
        self._edition = 0
        self._began = time.time()
        self._scheduled = time.monotonic()
        self._newest = 0
        #: (moment, order, act)
        self._agenda: list[tuple[float, int, Act]] = []
        self._done: list[tuple[float, str]] = []
        #: Steps of the clock: (when, by how many seconds).
        self._steps: list[tuple[float, int]] = []
        self._cancelled: set[int] = set()
        #: A rest that waits until its cancelled send is settled.
        self._rest_of = 0
        #: When the last send had ended; the events may still come.
        self._over = 0.0
        self._complaints: list[str] = []
        self._provider = house.provider

    def carry_out(self) -> Result:
        started = time.monotonic()
        self._prepare()
        try:
            self._wait_until_settled()
            account, result = self._account()
        finally:
            self._lost_database.end()
        verdict = judge(account)
        ended = time.monotonic()
        result.seconds = round(ended - started, 1)
        parts = (self._scheduled - started, (self._over or ended) - self._scheduled, ended - (self._over or ended))
        result.parts = [round(part, 1) for part in parts]
        result.verdict = asdict(verdict) | {"ok": verdict.ok}
        return result

    # -- before

    def _prepare(self) -> None:
        house = self.house
        self._provider.begin(self.plan)
        house.do("everyone_back")
        self._edition = house.compose()
        self._person = Person(house, self.plan, self._edition)
        self._readers = Readers(house, self.plan, self._edition)
        self._lost_database = LostDatabase(house, self.plan)
        self._provider.misbehave(list(self.plan.faults))
        self._schedule(self.plan.lists)
        self._scheduled = time.monotonic()
        for act in self.plan.acts:
            self._plan_act(self._scheduled + act.at, act)
        if self.plan.withheld:
            self._plan_act(self._scheduled + self.plan.withheld, Act(at=self.plan.withheld, what="events arrive"))

    def _plan_act(self, moment: float, act: Act) -> None:
        heapq.heappush(self._agenda, (moment, len(self._agenda) + len(self._done), act))

    def _schedule(self, lists: tuple[str, ...]) -> int:
        self._newest = int(self.house.do("schedule", edition=self._edition, lists=list(lists), newer_than=self._newest))
        return self._newest

    # -- in the middle

    def _wait_until_settled(self) -> None:
        deadline = time.monotonic() + self.plan.patience
        while not self._settled():
            if time.monotonic() > deadline:
                self._complaints.append(f"not settled after {self.plan.patience:g} s")
                break
            time.sleep(POLL)
        self._provider.take_faults()

    def _settled(self) -> bool:
        """Do what is due; True once nothing more can happen."""
        self._provider.report()
        while self._agenda and self._agenda[0][0] <= time.monotonic():
            act = heapq.heappop(self._agenda)[2]
            self._ways.get(act.what, self._strike)(act)
        sends = self.house.rows(SENDS, [self._edition])
        self._call_on_the_person(sends)
        if self._rest_of:
            self._send_the_rest(sends)
            return False
        if self._agenda or not self._is_over(sends):
            return False
        self._over = self._over or time.monotonic()
        return self._is_quiet()

    def _is_over(self, sends: list[tuple[Any, ...]]) -> bool:
        return all(
            not open_ and not unknown and (status in {"sent", "cancelled"} or (status == "sending" and left))
            for _, status, _, _, open_, unknown, left in sends
        )

    def _send_the_rest(self, sends: list[tuple[Any, ...]]) -> None:
        still_open = any(open_ or unknown for pk, _, _, _, open_, unknown, _ in sends if pk == self._rest_of)
        if self.plan.patient and still_open:
            return
        self._rest_of = 0
        self._schedule(self.plan.lists)
        self._note("the rest is sent")

    def _is_quiet(self) -> bool:
        return self._provider.is_quiet() and self.house.rows(QUIET) == [(0,)]

    def _call_on_the_person(self, sends: list[tuple[Any, ...]]) -> None:
        done = self._person.resume_what_paused_itself(sends, others_to_come=bool(self._agenda))
        if any(unknown for *_, unknown, _ in sends) and (self._rest_of or not self._agenda):
            done += self._person.decide(is_quiet=self._is_quiet())
        for what in done:
            self._note(what)

    @property
    def _ways(self) -> dict[str, Callable[[Act], None]]:
        """How each act is done; a disaster of any other name strikes."""
        return {
            "unsubscribe": self._unsubscribe,
            "pause": self._pause,
            "resume": self._resume,
            "send to west": self._send_to_west,
            "cancel, then send the rest": self._cancel,
            "events arrive": self._events_arrive,
            "step clock forward": self._step,
            "step clock there and back": self._step,
            "step clock back": self._step,
            "step clock over a builder": self._step_over_a_builder,
            "suspend worker child": self._suspend,
            "suspend valkey": self._suspend_service,
            "suspend postgres": self._suspend_service,
            "suspend web": self._suspend_service,
            "fill the disk": self._fill_disk,
            "foreign reports": self._foreign_reports,
            "fail over": self._fail_over,
            "fail over to a copy that lags": self._fall_behind,
            "the copy takes over": self._fail_over,
            "restore a backup": self._back_up,
            "the backup is restored": self._restore,
            "awake": lambda _act: None,
        }

    def _strike(self, act: Act) -> None:
        forgets = self._provider.forgets(act.what)
        faults = self._provider.take_faults() if forgets else []
        if disasters.strike(act.what, self.house, self._dice):
            self._note(act.what)
        if forgets:
            self._provider.misbehave(faults)

    def _pause(self, act: Act) -> None:
        if self.house.do("pause", send=self._first_send()):
            self._plan_act(time.monotonic() + act.seconds, Act(at=act.at, what="resume"))
            self._note("pause")

    def _resume(self, act: Act) -> None:
        self.house.do("resume", send=self._first_send())
        self._note(act.what)

    def _send_to_west(self, act: Act) -> None:
        self._schedule(("west",))
        self._note(act.what)

    def _cancel(self, act: Act) -> None:
        send = self._first_send()
        if self.house.do("cancel", send=send):
            self._cancelled.add(send)
            self._rest_of = send
            self._note(f"{act.what}{'' if self.plan.patient else ' at once'}")

    def _events_arrive(self, act: Act) -> None:
        self._provider.let_reports_out()
        self._note(act.what)

    def _first_send(self) -> int:
        return int(self.house.rows(SENDS, [self._edition])[0][0])

    def _step(self, act: Act) -> None:
        self._steps.append((disasters.step_clock(self.house, act.number), act.number))
        self._note(f"{act.what} {act.number:+d} s")
        if act.what == "step clock there and back":
            back = Act(at=act.at, what="step clock back", number=-act.number)
            self._plan_act(time.monotonic() + act.seconds, back)
        # Whatever looks stale now is found by the next sweep; let it be due.
        self.house.do("sweep")

    def _suspend(self, act: Act) -> None:
        child = disasters.some_child(self.house, self._dice)
        if disasters.kill(child, signal.SIGSTOP):
            self._note(f"{act.what} {act.seconds:g} s")
            self._wake_after(act.seconds, child)

    def _suspend_service(self, act: Act) -> None:
        if disasters.suspend(act.what, self.house, act.seconds):
            self._note(f"{act.what} {act.seconds:g} s")
            self._plan_act(time.monotonic() + act.seconds, Act(at=0, what="awake"))

    def _fill_disk(self, act: Act) -> None:
        if disasters.fill_disk(self.house, act.seconds):
            self._note(f"{act.what} {act.seconds:g} s")
            self._plan_act(time.monotonic() + act.seconds, Act(at=0, what="awake"))

    def _foreign_reports(self, act: Act) -> None:
        """Of an installation with a copy of our database on the same account, or forged: they may change nothing."""
        readers = self.house.rows(ANY_READERS, [self._edition, str(self.plan.seed)])
        if readers and self._provider.report_as_a_stranger(readers):
            self._note(act.what)

    def _fail_over(self, act: Act) -> None:
        if self._lost_database.take_over():
            self._note(act.what)

    def _fall_behind(self, act: Act) -> None:
        if self._is_prepared(act) and self._lost_database.fall_behind():
            self._note(act.what)
            self._plan_act(time.monotonic() + act.seconds, Act(at=0, what="the copy takes over"))

    def _back_up(self, act: Act) -> None:
        if self._is_prepared(act):
            self._lost_database.back_up()
            self._note("back up")
            self._plan_act(time.monotonic() + act.seconds, Act(at=0, what="the backup is restored"))

    def _restore(self, act: Act) -> None:
        self._lost_database.restore()
        self._note(act.what)

    def _is_prepared(self, act: Act) -> bool:
        """Whether the audience is frozen; if not, the act is planned again: an older database has nothing that it could send twice."""
        if self.house.rows(SENDS, [self._edition])[0][2]:
            return True
        self._plan_act(time.monotonic() + UNTIL_PREPARED, act)
        return False

    def _step_over_a_builder(self, act: Act) -> None:
        child = disasters.stop_a_builder(self.house)
        if child:
            self._wake_after(act.seconds, child)
            self._step(act)

    def _wake_after(self, seconds: float, child: int) -> None:
        """By a clock of its own: until then we may have to wait for a lock that the sleeper holds."""
        threading.Timer(seconds, disasters.kill, (child, signal.SIGCONT)).start()
        self._plan_act(time.monotonic() + seconds, Act(at=0, what="awake"))

    def _unsubscribe(self, act: Act) -> None:
        if number := self._readers.unsubscribe(act.number):
            self._note(f"{number} unsubscribe")

    def _note(self, what: str) -> None:
        self._done.append((round(time.monotonic() - self._scheduled, 2), what))

    # -- afterwards

    def _true_time(self, stored: float) -> float:
        return true_time(stored, self._steps, began=self._began, ended=time.time())

    def _account(self) -> tuple[Account, Result]:
        ours = our_account(self.house, self._edition, true_time=self._true_time)
        account = Account(
            accepted=tuple(self._provider.accepted(self._edition)),
            delivered=self._provider.delivered(self._edition),
            by_reader=self._provider.by_reader,
            members=ours.members,
            sends=ours.sends,
            attempts=ours.attempts,
            unsubscribes=tuple(self._readers.unsubscribes),
            alarms=ours.alarms,
            unapplied=ours.unapplied,
            cancelled=frozenset(self._cancelled),
            left=bool(self._person.left),
            lost_database=self.plan.loses_database,
            forgot=self.plan.forgets,
            complaints=tuple(dict.fromkeys([*self._complaints, *self._person.complaints, *self._readers.complaints])),
        )
        result = Result(
            seed=self.plan.seed,
            plan=self.plan.as_json(),
            seconds=0.0,
            verdict={},
            struck={kind: n for kind, n in self._provider.struck().items() if n},
            done=self._done,
            accepted=len(account.accepted),
            attempts=dict(Counter(attempt.outcome or "open" for attempt in ours.attempts)),
            evidence=ours.evidence,
            sends=[dict(send.told) for send in ours.sends],
            home=str(self.house.home.path),
            connections=self.house.connections,
        )
        return account, result
