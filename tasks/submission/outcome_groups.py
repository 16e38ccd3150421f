"""Which readers of a request share an outcome, and what becomes of each group of them. Pure, but for what it asks of a domain."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from tasks.models import Batch
from tasks.providers.base import Partial, Reason
from tasks.submission import giving_up
from tasks.submission.retries import MANY_PUT_OFF, MAX_ROUNDS, MOST_STALLS, members_at
from tasks.throttling.back_off import back_off

#: Seconds of the longest wait before a reader whose server said "later" is tried again: with MAX_ROUNDS some nine hours.
PUT_OFF_LIMIT = 3600.0

#: A connection that ends at three in a row is taken for one that would end at everybody (`tasks.providers.smtp.posting`).
HUNG_UP_AT_TOGETHER = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Waits:
    """How long who waits, and who has waited for long enough."""

    #: Seconds for each domain that has put its readers off.
    by_domain: Mapping[str, float]
    #: Domains whose readers fail, as a mail server would give up too, however many requests that were.
    lost: Collection[str]
    #: The send began so long ago that a mail server would.
    given_up: bool


@dataclass(kw_only=True, slots=True)
class Group:
    """Members who share an outcome, and what becomes of their batch. `wait` in seconds."""

    members: tuple[int, ...]
    status: Batch.Status
    rounds: int
    stalls: int = 0
    wait: float = 0.0
    #: Whose readers they all are, who wait for it; None = as those of the batch they come from.
    mailbox_domain: str | None = None
    #: Seconds until a worker is to look at it, if not `wait`.
    look_in: float = 0.0


def _stalls_and_wait(batch: Batch, outcome: Partial) -> tuple[int, float]:
    """Requests in a row without any progress, this one included, and how long those wait who were not tried.

    A batch that gets further waits no longer each time: its readers are fewer each time.
    """
    stalls = 0 if outcome.accepted or outcome.refused or outcome.put_off else min(batch.stalls + 1, MOST_STALLS)
    if outcome.retry_after is not None:
        return stalls, outcome.retry_after
    return stalls, 0.0 if not stalls and outcome.reason is not Reason.TOO_MANY else back_off(max(stalls, 1))


def groups_of(
    batch: Batch,
    members: tuple[int, ...],
    outcome: Partial,
    *,
    later: Batch.Status,
    given_up: bool,
    disbelieved: Collection[int] = (),
) -> tuple[dict[int, str], list[Group]]:
    """Those who failed, each with why, and the groups in the order in which they may keep the batch.

    Without those who wait for their mailbox provider. `later`: the status of whoever is to be tried again.
    `disbelieved`: whose refusal is not taken for final (`tasks.submission.disbelieved_refusals`).
    """
    failed = {at: words for at, words in outcome.refused.items() if at not in disbelieved}
    put_off = {at: words for at, words in outcome.put_off.items() if at not in _wait_for_their_provider(outcome)}
    if batch.rounds + 1 >= MAX_ROUNDS and (len(put_off) < MANY_PUT_OFF or given_up):
        failed |= put_off
        put_off = {}
    stalls, wait = _stalls_and_wait(batch, outcome)
    groups = [
        Group(members=members_at(members, outcome.accepted), status=Batch.Status.SUBMITTED, rounds=batch.rounds),
        Group(members=members_at(members, outcome.unknown), status=Batch.Status.UNKNOWN, rounds=batch.rounds),
        Group(
            members=members_at(members, outcome.not_tried - _wait_for_their_provider(outcome)),
            status=later,
            rounds=batch.rounds,
            stalls=stalls,
            wait=wait,
        ),
        # Their send is paused; when it is resumed they go on at once.
        Group(members=members_at(members, disbelieved), status=later, rounds=batch.rounds),
        *(
            Group(
                members=members_at(members, together),
                status=later,
                rounds=min(batch.rounds + 1, MOST_STALLS),
                wait=back_off(batch.rounds + 1, limit=PUT_OFF_LIMIT),
            )
            for together in _put_off_together(put_off, outcome.hung_up_at)
        ),
    ]
    reasons = {members[at]: message or "refused" for at, message in failed.items() if at < len(members)}
    return reasons, [group for group in groups if group.members]


def is_each_answered(outcome: Partial) -> bool:
    """Whether the server went through all of them and said of some that these very readers are to come later."""
    return bool(outcome.put_off.keys() - outcome.hung_up_at) and not outcome.not_tried - _wait_for_their_provider(
        outcome
    )


def _wait_for_their_provider(outcome: Partial) -> frozenset[int]:
    return frozenset[int]().union(*(one.members for one in outcome.put_off_domains.values()))


def _put_off_together(put_off: Collection[int], hung_up_at: Collection[int]) -> Iterator[list[int]]:
    """Positions that share a batch: of those at whom the connection ended so few that their request tells them from a server that is away."""
    yield [at for at in put_off if at not in hung_up_at]
    hung_up = sorted(at for at in put_off if at in hung_up_at)
    for first in range(0, len(hung_up), HUNG_UP_AT_TOGETHER):
        yield hung_up[first : first + HUNG_UP_AT_TOGETHER]


def without(proven: set[int], failed: dict[int, str], groups: list[Group]) -> tuple[dict[int, str], list[Group]]:
    """The same without them."""
    if proven:
        for group in groups:
            group.members = tuple(member for member in group.members if member not in proven)
        failed = {member: why for member, why in failed.items() if member not in proven}
    return failed, [group for group in groups if group.members]


def waiting_groups(
    batch: Batch,
    members: tuple[int, ...],
    outcome: Partial,
    waits: Waits,
    *,
    later: Batch.Status,
) -> tuple[dict[int, str], list[Group]]:
    """The same for those who wait for their mailbox provider: a batch for each domain, which is due when its wait is over."""
    failed: dict[int, str] = {}
    groups = []
    for domain, one in outcome.put_off_domains.items():
        if domain in waits.lost:
            failed |= dict.fromkeys(members_at(members, one.members), giving_up.why(domain, one.words))
        elif theirs := members_at(members, one.members):
            groups.append(
                Group(
                    members=theirs,
                    status=later,
                    rounds=batch.rounds,
                    mailbox_domain=domain,
                    look_in=waits.by_domain[domain],
                )
            )
    return failed, groups
