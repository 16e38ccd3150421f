"""Carries out one plan against a running house, and gathers both accounts of it for the judge."""

import heapq
import random
import signal
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from tests.chaos import disasters
from tests.chaos.house import House
from tests.chaos.judge import Accepted, Account, AttemptEnd, Member, SendEnd, Unsubscribe, judge
from tests.chaos.plans import Act, Plan
from tests.chaos.questions import ATTEMPTS, AUDIENCE, DELIVERIES, DOUBTS, EXCLUDED, QUIET, SENDS, WAITING_READERS
from tests.chaos.result import Result

POLL = 0.1
#: Seconds that a doubt must stand before a person decides: no request of ours lives as long, but for one that hangs.
BEFORE_A_PERSON = 8.0


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
        self._unsubscribes: list[Unsubscribe] = []
        #: Steps of the clock: (when, by how many seconds).
        self._steps: list[tuple[float, int]] = []
        self._cancelled: set[int] = set()
        #: A rest that waits until its cancelled send is settled.
        self._rest_of = 0
        self._doubted: dict[str, float] = {}
        self._left: set[str] = set()
        #: When the last send had ended; the events may still come.
        self._over = 0.0
        self._complaints: list[str] = []
        #: The faults that the sandbox knows, in its order, and how often the others of a sandbox that was killed struck.
        self._faults: list[dict[str, Any]] = []
        self._struck: Counter[str] = Counter()

    def carry_out(self) -> Result:
        started = time.monotonic()
        self._prepare()
        deadline = time.monotonic() + self.plan.patience
        while not self._settled():
            if time.monotonic() > deadline:
                self._complaints.append(f"not settled after {self.plan.patience:g} s")
                break
            time.sleep(POLL)
        self._take_faults()
        account, result = self._account()
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
        house.sandbox("/sandbox/faults", method="DELETE")
        for kind in ("bounces", "spam_reports"):
            house.sandbox(f"/v3/suppression/{kind}", {"delete_all": True}, "DELETE")
        self._set_webhooks(withhold=self.plan.withheld > 0)
        house.do("everyone_back")
        self._edition = house.compose()
        self._set_faults(list(self.plan.faults))
        self._schedule(self.plan.lists)
        self._scheduled = time.monotonic()
        for act in self.plan.acts:
            self._plan_act(self._scheduled + act.at, act)
        if self.plan.withheld:
            self._plan_act(self._scheduled + self.plan.withheld, Act(at=self.plan.withheld, what="events arrive"))

    def _set_webhooks(self, *, withhold: bool) -> None:
        self.house.sandbox("/sandbox/webhooks", {**self.plan.webhooks, "withhold": withhold})

    def _plan_act(self, moment: float, act: Act) -> None:
        heapq.heappush(self._agenda, (moment, len(self._agenda) + len(self._done), act))

    def _schedule(self, lists: tuple[str, ...]) -> int:
        self._newest = int(self.house.do("schedule", edition=self._edition, lists=list(lists), newer_than=self._newest))
        return self._newest

    # -- in the middle

    def _settled(self) -> bool:
        """Do what is due; True once nothing more can happen."""
        while self._agenda and self._agenda[0][0] <= time.monotonic():
            act = heapq.heappop(self._agenda)[2]
            self._ways.get(act.what, self._strike)(act)
        sends = self.house.rows(SENDS, [self._edition])
        self._look_after_the_paused(sends)
        if any(unknown for *_, unknown, _ in sends) and (self._rest_of or not self._agenda):
            self._let_a_person_decide()
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
        return bool(self.house.sandbox("/sandbox/events")["quiet"]) and self.house.rows(QUIET) == [(0,)]

    def _look_after_the_paused(self, sends: list[tuple[Any, ...]]) -> None:
        """A pause that was not ours is a person's business: they look, and resume."""
        for pk, status, _, why, *_ in sends:
            if status != "paused" or why == "Paused by a person.":
                continue
            if not self.plan.pauses_itself or "credits" not in why:
                self._complaints.append(f"send {pk} paused itself: {why}")
            self.house.do("resume", send=pk)
            self._note("resumed after a refusal")

    def _let_a_person_decide(self) -> None:
        """Where silence cannot speak, a person looks into the provider's own record and decides; nowhere else."""
        doubts = self.house.rows(DOUBTS, [self._edition])
        now = time.monotonic()
        for _, attempt, _ in doubts:
            self._doubted.setdefault(attempt, now)
        deaf = [doubt for doubt in doubts if doubt[2] and now - self._doubted[doubt[1]] > BEFORE_A_PERSON]
        if not deaf or not self._is_quiet():
            return
        known = {message["attempt"] for message in self._ledger()["messages"]}
        for batch, attempt, _ in deaf:
            if attempt in known:
                continue  # its events have been applied: what they prove must show by itself
            self.house.do("settle", batch=batch, decided=self.plan.person)
            if self.plan.person == "leave":
                self._left.add(attempt)
            self._note(f"a person decides: {self.plan.person}")

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
            "awake": lambda _act: None,
        }

    def _strike(self, act: Act) -> None:
        forgets = act.what in {"kill everything", "kill sandbox"}
        faults = self._take_faults() if forgets else []
        if disasters.strike(act.what, self.house, self._dice):
            self._note(act.what)
        if forgets:
            self._set_webhooks(withhold=any(to_come.what == "events arrive" for *_, to_come in self._agenda))
            self._set_faults(faults)

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
        self._set_webhooks(withhold=False)
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
        """Readers whose batch is still waiting, if there are so many, click in the mail they got last week."""
        salt = f"{self.plan.seed}/{len(self._unsubscribes)}"
        gone = [one.address for one in self._unsubscribes]
        readers = self.house.rows(WAITING_READERS, [self._edition, gone, salt, act.number])
        if not readers:
            return
        urls = self.house.do("unsubscribe_urls", send=readers[0][0], subscribers=[reader[1] for reader in readers])
        for (_, _, address), url in zip(readers, urls, strict=True):
            if not _one_click(url):
                self._complaints.append(f"the unsubscribe of {address} was not answered")
                break
            self._unsubscribes.append(Unsubscribe(address=address, answered=time.time()))
        self._note(f"{len(readers)} unsubscribe")

    def _note(self, what: str) -> None:
        self._done.append((round(time.monotonic() - self._scheduled, 2), what))

    def _set_faults(self, faults: list[dict[str, Any]]) -> None:
        self._faults = faults
        if faults:
            self.house.sandbox("/sandbox/faults", faults)

    def _take_faults(self) -> list[dict[str, Any]]:
        """Withdraw all faults and note how often each struck; those that have some left, for later."""
        left = []
        for fault, told in zip(self._faults, self.house.sandbox("/sandbox/faults"), strict=True):
            self._struck[fault["kind"]] += told["struck"]
            remaining = {"times": fault["times"] - told["struck"]} if "times" in fault else {}
            if remaining.get("times") != 0 and "requests" not in fault:
                left.append({**fault, **remaining})
        self.house.sandbox("/sandbox/faults", method="DELETE")
        return left

    # -- afterwards

    def _ledger(self) -> Any:
        return self.house.sandbox(f"/sandbox/accepted?category=edition-{self._edition}")

    def _true_time(self, stored: float) -> float:
        return true_time(stored, self._steps, began=self._began, ended=time.time())

    def _account(self) -> tuple[Account, Result]:
        house, ledger = self.house, self._ledger()
        rows = house.rows(SENDS, [self._edition])
        ids = [row[0] for row in rows]
        audiences = {pk: frozenset(addresses) for pk, addresses in house.rows(AUDIENCE, [ids])}
        told = {pk: house.do("status", send=pk) for pk in ids}
        attempts = house.rows(ATTEMPTS, [ids])
        members = [_member(*row) for row in house.rows(DELIVERIES, [ids])]
        members += [_member(*row[:3], "", *row[3:]) for row in house.rows(EXCLUDED, [ids])]
        account = Account(
            accepted=tuple(
                Accepted(address=m["address"], delivery=m["delivery"], attempt=m["attempt"], at=m["accepted_at"])
                for m in ledger["messages"]
            ),
            delivered=ledger["delivered"],
            members=tuple(members),
            sends=tuple(
                SendEnd(id=pk, status=status, told=told[pk], audience=audiences[pk] if prepared else frozenset())
                for pk, status, prepared, *_ in rows
            ),
            attempts=tuple(
                AttemptEnd(id=pk, send=send, outcome=outcome, left=left, claimed=claimed and self._true_time(claimed))
                for pk, send, outcome, claimed, left, _ in attempts
            ),
            unsubscribes=tuple(self._unsubscribes),
            alarms=tuple(code for (code,) in house.rows("SELECT code FROM tasks_alarm WHERE send_id = ANY(%s)", [ids])),
            unapplied=house.rows(QUIET)[0][0],
            cancelled=frozenset(self._cancelled),
            left=bool(self._left),
            complaints=tuple(dict.fromkeys(self._complaints)),
        )
        result = Result(
            seed=self.plan.seed,
            plan=self.plan.as_json(),
            seconds=0.0,
            verdict={},
            struck={kind: n for kind, n in self._struck.items() if n},
            done=self._done,
            accepted=len(account.accepted),
            attempts=dict(Counter(row[2] or "open" for row in attempts)),
            evidence=dict(Counter(fact["kind"] for row in attempts for fact in row[5])),
            sends=list(told.values()),
            home=str(house.home.path),
            connections=house.connections,
        )
        return account, result


def _member(send: int, subscriber: int, address: str, status: str, kind: str | None, reason: str | None) -> Member:
    """A row of ours in the words of the counts."""
    if kind == "failed":
        return Member(send=send, subscriber=subscriber, address=address, outcome="failed")
    if kind:
        return Member(send=send, subscriber=subscriber, address=address, outcome="excluded", reason=reason or "")
    if status == "cancelled":
        return Member(send=send, subscriber=subscriber, address=address, outcome="excluded", reason="cancelled")
    outcome = "pending" if status == "building" else status
    return Member(send=send, subscriber=subscriber, address=address, outcome=outcome)


def true_time(stored: float, steps: Sequence[tuple[float, int]], *, began: float, ended: float) -> float:
    """When something really was, by its stored time and the (moment, seconds) steps of the clock that followed."""
    for at in range(len(steps) + 1):
        moment = stored + sum(by for _, by in steps[at:])
        after = steps[at - 1][0] if at else began
        before = steps[at][0] if at < len(steps) else ended
        if after - 1 <= moment <= before + 1:
            return moment
    return stored


def _one_click(url: str, patience: float = 30.0) -> bool:
    """RFC 8058, as a mailbox provider does it: again when nobody answers."""
    deadline = time.monotonic() + patience
    while True:
        request = urllib.request.Request(url, data=b"List-Unsubscribe=One-Click", method="POST")
        try:
            with urllib.request.urlopen(request, timeout=15) as answer:
                return 200 <= answer.status < 300
        except (OSError, urllib.error.HTTPError):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.2)
