"""Whether a run kept the promise: no reader twice, none silently missed, each candidate in exactly one stated outcome.

It is given two accounts of the same run, the provider's and ours, and looks for every way in which they can disagree.
It asks nobody: facts in, verdict out.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

OUTCOMES = ("pending", "submitting", "submitted", "unknown", "failed")
#: What a reader may be told instead of getting the edition; already_received is no reason where nobody received it.
STATED = ("failed", "unknown")
#: Alarms that no plan may cause.
FORBIDDEN_ALARMS = ("accepted_twice", "ground_moved", "lost_attempts", "receipt_unreadable")
#: Those that another database may cause, and one that forgot its last requests.
OF_A_LOST_DATABASE, OF_A_FORGETFUL_ONE = ("ground_moved",), ("ground_moved", "lost_attempts")


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """One message that the provider took. `delivery`: "send.subscriber"; `at` in unix seconds."""

    address: str
    delivery: str
    attempt: str
    at: float


@dataclass(frozen=True, kw_only=True)
class Member:
    """One row of ours about a candidate of a send: a delivery, or an exclusion made at preparation."""

    send: int
    subscriber: int
    address: str
    #: pending, submitting, submitted, unknown, failed or excluded.
    outcome: str
    reason: str = ""

    @property
    def delivery(self) -> str:
        return f"{self.send}.{self.subscriber}"


@dataclass(frozen=True, kw_only=True)
class SendEnd:
    """`told` is the JSON of `newsdesk status`; `audience` are the addresses on its lists, empty if it was never prepared."""

    id: int
    status: str
    told: Mapping[str, Any]
    audience: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class AttemptEnd:
    """One POST by our account. `claimed`: when its claim was made (unix seconds); None = a later claim overwrote it."""

    id: str
    send: int
    outcome: str
    claimed: float | None = None
    #: A person decided to leave it.
    left: bool = False


@dataclass(frozen=True, kw_only=True)
class Unsubscribe:
    """A reader's one-click request: the moment it was answered with 2xx."""

    address: str
    answered: float


@dataclass(frozen=True, kw_only=True)
class Account:
    """All that is known of a run once it is quiet."""

    accepted: tuple[Accepted, ...]
    #: Deliveries the provider reported.
    delivered: int
    #: Whether readers of a request fare each for themselves, as over SMTP: what an attempt is recorded as says nothing of each.
    by_reader: bool = False
    members: tuple[Member, ...]
    sends: tuple[SendEnd, ...]
    attempts: tuple[AttemptEnd, ...] = ()
    unsubscribes: tuple[Unsubscribe, ...] = ()
    alarms: tuple[str, ...] = ()
    #: Webhook calls that wait to be applied.
    unapplied: int = 0
    #: Sends that a person cancelled.
    cancelled: frozenset[int] = frozenset()
    #: Whether a person left batches in doubt.
    left: bool = False
    #: Whether another database took the place of ours, and whether it lacked what was committed last.
    lost_database: bool = False
    forgot: bool = False
    #: What went wrong already in running it.
    complaints: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Verdict:
    #: Messages beyond the first to the same address.
    duplicates: int
    #: Readers without the edition and without a stated reason.
    lost: int
    #: Readers whom a cancelled send left out although another counted on it: a stated outcome, but worth a number.
    between: int
    faults: tuple[str, ...] = field(default=())

    @property
    def ok(self) -> bool:
        return not self.faults


def judge(account: Account) -> Verdict:
    """Every rule is applied, whatever the others found."""
    times = Counter(one.address for one in account.accepted)
    duplicates = sum(times.values()) - len(times)
    lost, between = _missing(account)
    faults = list(account.complaints)
    if duplicates:
        faults.append(f"{_some(a for a, n in times.items() if n > 1)} got the edition more than once")
    if lost:
        faults.append(f"{_some(lost)} got nothing and no reason")
    for rule in (_sums, _both_accounts, _attempts, _leaving, _ends):
        faults += rule(account)
    return Verdict(duplicates=duplicates, lost=len(lost), between=len(between), faults=tuple(faults))


def _missing(account: Account) -> tuple[set[str], set[str]]:
    """Addresses without the edition: those with no reason at all, and those who fell between a cancelled send and another."""
    reached = {one.address for one in account.accepted}
    told: dict[str, set[tuple[str, str]]] = {address: set() for send in account.sends for address in send.audience}
    for member in account.members:
        told.setdefault(member.address, set()).add((member.outcome, member.reason))
    lost, between = set(), set()
    for address, outcomes in told.items():
        if address in reached or any(outcome in STATED for outcome, _ in outcomes):
            continue
        reasons = {reason for outcome, reason in outcomes if outcome == "excluded"} - {"already_received"}
        if not reasons:
            lost.add(address)
        elif reasons == {"cancelled"} and ("excluded", "already_received") in outcomes:
            between.add(address)
    return lost, between


def _sums(account: Account) -> list[str]:
    """One row for each candidate, and counts that agree with the rows."""
    faults = []
    rows = Counter(member.delivery for member in account.members)
    if twice := [delivery for delivery, n in rows.items() if n > 1]:
        faults.append(f"{_some(twice)} stand in two outcomes")
    for send in account.sends:
        mine = [member for member in account.members if member.send == send.id]
        if {member.address for member in mine} != send.audience or len(mine) != len(send.audience):
            faults.append(f"send {send.id}: {len(mine)} outcomes for the {len(send.audience)} on its lists")
        told = {name: send.told[name] for name in OUTCOMES}
        if send.told["candidates"] != sum(told.values()) + sum(send.told["excluded"].values()):
            faults.append(f"send {send.id}: the counts do not add up: {dict(send.told)}")
        if send.told["candidates"] != len(send.audience):
            faults.append(f"send {send.id}: counts {send.told['candidates']} candidates, not {len(send.audience)}")
        rows_say = Counter(member.outcome for member in mine)
        reasons = Counter(member.reason for member in mine if member.outcome == "excluded")
        if any(told[name] != rows_say[name] for name in OUTCOMES) or reasons != Counter(send.told["excluded"]):
            faults.append(f"send {send.id}: counted {told} {send.told['excluded']}, its rows say {dict(rows_say)}")
    return faults


def _both_accounts(account: Account) -> list[str]:
    """What we call submitted is what the provider has, and nothing else."""
    faults = []
    theirs = {one.delivery for one in account.accepted}
    ours = {member.delivery for member in account.members if member.outcome == "submitted"}
    if missing := ours - theirs:
        faults.append(f"{_some(missing)} are called submitted, but the provider has them not")
    if (account.by_reader or account.forgot) and account.left:
        # In doubt for good by a person's decision, whatever the provider's record says.
        ours |= {member.delivery for member in account.members if member.outcome == "unknown"}
    if unclaimed := theirs - ours:
        outcomes = Counter(m.outcome for m in account.members if m.delivery in unclaimed)
        faults.append(f"{_some(unclaimed)} were accepted, but stand as {dict(outcomes) or 'nothing'}")
    told = sum(send.told["delivered"] for send in account.sends)
    # Reports may be forgotten; none is made up.
    if told > account.delivered or (told < account.delivered and not account.forgot):
        faults.append(f"{told} counted as delivered, the provider reported {account.delivered}")
    return faults


def _attempts(account: Account) -> list[str]:
    """Each request's recorded outcome is what became of it."""
    faults = []
    theirs = {one.attempt for one in account.accepted}
    known = {attempt.id: attempt for attempt in account.attempts}
    if (strangers := theirs - known.keys()) and not account.forgot:
        faults.append(f"{_some(strangers)} were accepted, but no attempt of ours has the id")
    for attempt in account.attempts:
        if account.by_reader:
            if attempt.outcome not in {"accepted", "refused"} and not attempt.left:
                faults.append(f"attempt {attempt.id} has no end: {attempt.outcome or 'open'}")
        elif attempt.outcome == "accepted" and attempt.id not in theirs:
            faults.append(f"attempt {attempt.id} is recorded as accepted, but the provider has it not")
        elif attempt.outcome != "accepted" and attempt.id in theirs and not (account.forgot and attempt.left):
            faults.append(f"attempt {attempt.id} was accepted, but is recorded as {attempt.outcome or 'open'}")
        elif attempt.outcome not in {"accepted", "refused"} and not attempt.left:
            faults.append(f"attempt {attempt.id} has no end: {attempt.outcome or 'open'}")
    return faults


def _leaving(account: Account) -> list[str]:
    """Nobody is written to whose unsubscribe was answered before the batch was claimed: the recheck comes after that."""
    left = {one.address: one.answered for one in account.unsubscribes}
    claimed = {attempt.id: attempt.claimed for attempt in account.attempts}
    late = []
    for one in account.accepted:
        since = claimed.get(one.attempt)
        if one.address in left and since is not None and since > left[one.address]:
            late.append(one.address)
    return [f"{_some(late)} were written to after their unsubscribe"] if late else []


def _ends(account: Account) -> list[str]:
    allowed = OF_A_FORGETFUL_ONE if account.forgot else OF_A_LOST_DATABASE if account.lost_database else ()
    faults = [f"alarm {code}" for code in account.alarms if code in FORBIDDEN_ALARMS and code not in allowed]
    if account.unapplied:
        faults.append(f"{account.unapplied} receipts were never applied")
    for send in account.sends:
        open_ones = {name: send.told[name] for name in ("pending", "submitting", "unknown") if send.told[name]}
        if account.left:
            open_ones.pop("unknown", None)
        wanted = "cancelled" if send.id in account.cancelled else "sent"
        if account.left and send.told["unknown"] and wanted == "sent":
            wanted = "sending"
        if send.status != wanted or open_ones:
            faults.append(f"send {send.id} ends {send.status}, not {wanted}; still open: {open_ones}")
    return faults


def _some(names: Iterable[str]) -> str:
    listed = sorted(names)
    return f"{len(listed)} ({', '.join(listed[:3])}{', …' if len(listed) > 3 else ''})"
