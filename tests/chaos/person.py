"""The person at the desk during a run: resumes what paused itself, and decides what nothing else can."""

import time
from collections.abc import Sequence
from typing import Any

from tests.chaos.house import House
from tests.chaos.plans import Plan
from tests.chaos.providers import Doubt
from tests.chaos.questions import DOUBTS_OF_MOVED, MEMBERS

#: Seconds that a doubt must stand before a person decides: no request of ours lives as long, but for one that hangs.
BEFORE_A_PERSON = 8.0
#: What the hand says when it pauses a send.
PAUSED = "Paused by a person."


class Person:
    """Looks after the sends of one edition.

    `complaints`: what no plan accounts for. `left`: attempts, or batches without one, that were left in doubt.
    """

    def __init__(self, house: House, plan: Plan, edition: int) -> None:
        self._house, self._plan, self._edition = house, plan, edition
        self._provider = house.provider
        self._doubted: dict[str, float] = {}
        self.complaints: list[str] = []
        self.left: set[str] = set()

    def resume_what_paused_itself(self, sends: Sequence[tuple[Any, ...]], *, others_to_come: bool) -> list[str]:
        """Rows of SENDS; what was done, in words. A pause that a person asked for is none of these, unless nobody remembers its end."""
        done = []
        for pk, status, _, why, *_ in sends:
            if status != "paused" or (why == PAUSED and (others_to_come or not self._plan.forgets)):
                continue
            expected = self._why_expected(why)
            if not expected:
                self.complaints.append(f"send {pk} paused itself: {why}")
            if self._house.do("resume", send=pk):
                done.append(f"resumed after {expected or 'a pause of its own'}")
            elif not any(f"send {pk} cannot" in complaint for complaint in self.complaints):
                self.complaints.append(f"send {pk} cannot be resumed: {why}")
        return done

    def _why_expected(self, why: str) -> str:
        if self._plan.pauses_itself and "credits" in why:
            return "a refusal"
        if self._plan.names_readers and "So many are not believed to be wrong" in why:
            return "a refusal that named too many"
        if self._plan.forgets and why == PAUSED:
            return "a pause that was restored"
        return "another database came" if self._plan.loses_database and "atabase" in why else ""

    def decide(self, *, is_quiet: bool) -> list[str]:
        """Look into the provider's own record and decide where silence cannot speak, and nowhere else; what was done, in words."""
        moved = self._house.rows(DOUBTS_OF_MOVED, [self._edition])
        doubts = list(dict.fromkeys([*self._provider.doubts(self._edition), *moved]))
        now = time.monotonic()
        for _, attempt in doubts:
            self._doubted.setdefault(attempt, now)
        ripe = [doubt for doubt in doubts if now - self._doubted[doubt[1]] > BEFORE_A_PERSON]
        if not ripe or not is_quiet:
            return []
        done = []
        for (batch, attempt), decided in self._decisions(ripe).items():
            if not decided:
                continue
            self._house.do("settle", batch=batch, decided=decided)
            if decided == "leave":
                self.left.add(attempt)
            done.append(f"a person decides: {decided}")
        return done

    def _decisions(self, doubts: Sequence[Doubt]) -> dict[Doubt, str]:
        """What is decided about each; nothing = wait."""
        if not self._plan.forgets:
            return self._provider.looked_up(doubts, self._edition, self._plan.person)
        # What it reported may be lost with the database: its record is all there is, and nobody waits for more.
        known = {one.delivery for one in self._provider.accepted(self._edition)}
        return {
            (batch, attempt): "leave" if known & self._members(batch) else self._plan.person
            for batch, attempt in doubts
        }

    def _members(self, batch: int) -> set[str]:
        return {delivery for (delivery,) in self._house.rows(MEMBERS, [batch])}
