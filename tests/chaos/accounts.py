"""Our own account of a run, for the judge: what the database says became of each reader."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.chaos.house import House
from tests.chaos.judge import AttemptEnd, Member, SendEnd
from tests.chaos.questions import ATTEMPTS, AUDIENCE, DELIVERIES, EXCLUDED, QUIET, SENDS

_ALARMS = "SELECT code FROM tasks_alarm WHERE send_id = ANY(%s)"


@dataclass(frozen=True, kw_only=True)
class Ours:
    members: tuple[Member, ...]
    sends: tuple[SendEnd, ...]
    attempts: tuple[AttemptEnd, ...]
    alarms: tuple[str, ...]
    #: Webhook calls that wait to be applied.
    unapplied: int
    #: What settled the attempts, by its kind.
    evidence: dict[str, int]


def our_account(house: House, edition: int, *, true_time: Callable[[float], float]) -> Ours:
    """`true_time`: a stored moment, unix seconds, as it would be by a clock that never stepped."""
    rows = house.rows(SENDS, [edition])
    ids = [row[0] for row in rows]
    audiences = {pk: frozenset(addresses) for pk, addresses in house.rows(AUDIENCE, [ids])}
    attempts = house.rows(ATTEMPTS, [ids])
    members = [_member(*row) for row in house.rows(DELIVERIES, [ids])]
    members += [_member(*row[:3], "", *row[3:]) for row in house.rows(EXCLUDED, [ids])]
    return Ours(
        members=tuple(members),
        sends=tuple(
            SendEnd(
                id=pk,
                status=status,
                told=house.do("status", send=pk),
                audience=audiences[pk] if prepared else frozenset(),
            )
            for pk, status, prepared, *_ in rows
        ),
        attempts=tuple(
            AttemptEnd(id=pk, send=send, outcome=outcome, left=left, claimed=claimed and true_time(claimed))
            for pk, send, outcome, claimed, left, _ in attempts
        ),
        alarms=tuple(code for (code,) in house.rows(_ALARMS, [ids])),
        unapplied=house.rows(QUIET)[0][0],
        evidence=dict(Counter(fact["kind"] for row in attempts for fact in row[5])),
    )


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
