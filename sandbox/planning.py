"""The thread that turns accepted requests into posts waiting to go out.

A request is planned in one transaction that also marks it planned: a kill before it changes nothing, a kill after it
loses nothing.
"""

import sqlite3
import time
import zlib

from sandbox.background import Worker
from sandbox.events import EventPlanner, Plan, bodies
from sandbox.state import State
from sandbox.webhook_settings import MAX_POST_BYTES

#: Recipients planned in one go, to keep memory flat.
AT_ONCE = 4000


class Planning(Worker):
    def __init__(self, state: State) -> None:
        super().__init__(state, name="planning")
        options = state.options
        self._planner = EventPlanner(
            suppressions=state.suppressions,
            seed=options.seed,
            open_rate=options.open_rate,
            click_rate=options.click_rate,
        )

    def step(self) -> bool:
        return self.plan_once(time.time())

    def plan_once(self, now: float) -> bool:
        """Plan what is due; False when nothing was."""
        ledger, settings = self.state.ledger, self.state.webhooks
        request_ids = self._due_requests(now)
        later = ledger.rows("SELECT id, event FROM later WHERE due_at <= ? ORDER BY due_at LIMIT ?", (now, AT_ONCE))
        if not request_ids and not later:
            return False
        plan = Plan(events=[event for _id, event in later])
        for request_id in request_ids:
            self._planner.plan(ledger.request(request_id), plan, settings=settings, now=now)
        if settings.shuffle:
            self._planner.random.shuffle(plan.events)
        posts = [
            (now, count, zlib.compress(body, 1))
            for count, body in bodies(plan.events, batch=settings.batch, max_bytes=MAX_POST_BYTES)
        ]
        with ledger.writing() as connection:
            connection.executemany("INSERT INTO post (due_at, events, body) VALUES (?, ?, ?)", posts)
            connection.executemany("DELETE FROM later WHERE id = ?", [(row[0],) for row in later])
            connection.executemany("UPDATE request SET planned = 1 WHERE id = ?", [(each,) for each in request_ids])
            self._store(connection, plan)
        return True

    def _store(self, connection: sqlite3.Connection, plan: Plan) -> None:
        connection.executemany("INSERT INTO later (due_at, event) VALUES (?, ?)", plan.later)
        connection.executemany(
            "INSERT INTO act (due_at, kind, request_id, position, address) VALUES (?, ?, ?, ?, ?)", plan.errands
        )
        connection.executemany(
            "INSERT OR REPLACE INTO delivered (request_id, readers) VALUES (?, ?)", plan.delivered.items()
        )
        for kind, address, reason, status in plan.suppressed:
            self.state.suppressions.add(connection, kind, address, reason=reason, status=status)

    def _due_requests(self, now: float) -> list[int]:
        chosen: list[int] = []
        total = 0
        for request_id, recipients in self.state.ledger.rows(
            "SELECT id, recipients FROM request WHERE planned = 0 AND due_at <= ? ORDER BY due_at, id LIMIT 500", (now,)
        ):
            if chosen and total + recipients > AT_ONCE:
                break
            chosen.append(request_id)
            total += recipients
        return chosen
