"""The judge: it passes what kept the promise, and each single way to break it is found."""

from dataclasses import replace
from typing import Any

import pytest

from tests.chaos.judge import Accepted, Account, AttemptEnd, Member, SendEnd, Unsubscribe, Verdict, judge

READERS = ("a@x", "b@x", "c@x", "d@x", "e@x")


def _told(**changes: Any) -> dict[str, Any]:
    counts = {"candidates": 5, "excluded": {"unsubscribed": 1}, "pending": 0, "submitting": 0}
    return {**counts, "submitted": 3, "unknown": 0, "failed": 1, "delivered": 3, **changes}


def _accepted(subscriber: int, *, send: int = 1, attempt: str = "second", at: float = 100.0) -> Accepted:
    return Accepted(address=READERS[subscriber], delivery=f"{send}.{subscriber}", attempt=attempt, at=at)


def _member(subscriber: int, outcome: str, reason: str = "", *, send: int = 1) -> Member:
    return Member(send=send, subscriber=subscriber, address=READERS[subscriber], outcome=outcome, reason=reason)


#: Five candidates: three have it (the first try was refused), one had left, one is no address.
GOOD = Account(
    accepted=(_accepted(0), _accepted(1), _accepted(2)),
    delivered=3,
    members=(
        _member(0, "submitted"),
        _member(1, "submitted"),
        _member(2, "submitted"),
        _member(3, "excluded", "unsubscribed"),
        _member(4, "failed"),
    ),
    sends=(SendEnd(id=1, status="sent", told=_told(), audience=frozenset(READERS)),),
    attempts=(
        AttemptEnd(id="first", send=1, outcome="refused", claimed=90.0),
        AttemptEnd(id="second", send=1, outcome="accepted", claimed=99.0),
    ),
    unsubscribes=(Unsubscribe(address="d@x", answered=98.0),),
)


def _with(member: Member) -> tuple[Member, ...]:
    """The good members with one of them replaced."""
    return tuple(member if one.delivery == member.delivery else one for one in GOOD.members)


def _send(status: str = "sent", **told: Any) -> tuple[SendEnd, ...]:
    return (replace(GOOD.sends[0], status=status, told=_told(**told)),)


def _found(account: Account) -> Verdict:
    verdict = judge(account)
    assert not verdict.ok
    return verdict


def test_a_promise_that_was_kept() -> None:
    assert judge(GOOD) == Verdict(duplicates=0, lost=0, between=0)


def test_a_reader_who_got_it_twice() -> None:
    verdict = _found(replace(GOOD, accepted=(*GOOD.accepted, _accepted(1, attempt="first"))))
    assert verdict.duplicates == 1
    assert "1 (b@x) got the edition more than once" in verdict.faults


def test_the_same_reader_through_two_sends_is_twice_too() -> None:
    west = replace(GOOD.sends[0], id=2, told=_told(candidates=1, excluded={}, submitted=1, failed=0, delivered=1))
    account = replace(
        GOOD,
        accepted=(*GOOD.accepted, _accepted(1, send=2, attempt="third")),
        members=(*GOOD.members, _member(1, "submitted", send=2)),
        sends=(*GOOD.sends, replace(west, audience=frozenset({"b@x"}))),
        attempts=(*GOOD.attempts, AttemptEnd(id="third", send=2, outcome="accepted")),
        delivered=4,
    )
    assert judge(account) == Verdict(
        duplicates=1, lost=0, between=0, faults=("1 (b@x) got the edition more than once",)
    )


def test_a_reader_who_is_called_submitted_and_has_nothing() -> None:
    verdict = _found(replace(GOOD, accepted=GOOD.accepted[:2], delivered=2))
    assert verdict.lost == 1
    assert any("called submitted" in fault for fault in verdict.faults)


def test_a_reader_without_any_row() -> None:
    verdict = _found(replace(GOOD, members=GOOD.members[:4]))
    assert verdict.lost == 1
    assert any("4 outcomes for the 5" in fault for fault in verdict.faults)


def test_already_received_is_no_reason_where_nobody_received_it() -> None:
    changed = _with(_member(3, "excluded", "already_received"))
    verdict = _found(replace(GOOD, members=changed, sends=_send(excluded={"already_received": 1})))
    assert (verdict.lost, verdict.between) == (1, 0)


def test_a_reader_whom_a_cancelled_send_left_out_although_another_counted_on_it() -> None:
    changed = _with(_member(3, "excluded", "already_received"))
    first = SendEnd(
        id=2,
        status="cancelled",
        told=_told(candidates=1, excluded={"cancelled": 1}, submitted=0, failed=0, delivered=0),
        audience=frozenset({"d@x"}),
    )
    account = replace(
        GOOD,
        members=(*changed, _member(3, "excluded", "cancelled", send=2)),
        sends=(*_send(excluded={"already_received": 1}), first),
        cancelled=frozenset({2}),
    )
    assert judge(account) == Verdict(duplicates=0, lost=0, between=1)


def test_a_reader_in_two_outcomes() -> None:
    verdict = _found(replace(GOOD, members=(*GOOD.members, _member(1, "excluded", "unsubscribed"))))
    assert any("two outcomes" in fault for fault in verdict.faults)


@pytest.mark.parametrize(
    "told",
    [
        {"submitted": 4},
        {"candidates": 6},
        {"excluded": {"complaint": 1}},
        {"submitted": 2, "failed": 2},
        {"pending": 1},
    ],
)
def test_counts_that_do_not_agree(told: dict[str, Any]) -> None:
    assert any(
        "send 1: count" in fault or "do not add up" in fault
        for fault in _found(replace(GOOD, sends=_send(**told))).faults
    )


def test_an_acceptance_that_we_call_refused() -> None:
    attempts = (GOOD.attempts[0], replace(GOOD.attempts[1], outcome="refused"))
    verdict = _found(replace(GOOD, attempts=attempts))
    assert verdict.faults == ("attempt second was accepted, but is recorded as refused",)


def test_an_acceptance_that_never_was() -> None:
    attempts = (replace(GOOD.attempts[0], outcome="accepted"), GOOD.attempts[1])
    verdict = _found(replace(GOOD, attempts=attempts))
    assert verdict.faults == ("attempt first is recorded as accepted, but the provider has it not",)


def test_a_request_of_nobody() -> None:
    verdict = _found(replace(GOOD, attempts=GOOD.attempts[:1]))
    assert verdict.faults == ("1 (second) were accepted, but no attempt of ours has the id",)


@pytest.mark.parametrize("outcome", ["", "unknown"])
def test_a_request_without_an_end(outcome: str) -> None:
    attempts = (replace(GOOD.attempts[0], outcome=outcome), GOOD.attempts[1])
    assert _found(replace(GOOD, attempts=attempts)).faults == (f"attempt first has no end: {outcome or 'open'}",)
    left = (replace(GOOD.attempts[0], outcome=outcome, left=True), GOOD.attempts[1])
    assert judge(replace(GOOD, attempts=left)).ok


def test_a_reader_who_is_set_aside_but_has_it() -> None:
    verdict = _found(replace(GOOD, accepted=(*GOOD.accepted, _accepted(4)), delivered=4, sends=_send(delivered=4)))
    assert verdict.faults == ("1 (1.4) were accepted, but stand as {'failed': 1}",)


def test_deliveries_that_were_reported_and_not_counted() -> None:
    verdict = _found(replace(GOOD, sends=_send(delivered=2)))
    assert verdict.faults == ("2 counted as delivered, the provider reported 3",)


def test_a_reader_who_had_left_before_the_batch_was_claimed() -> None:
    left = (*GOOD.unsubscribes, Unsubscribe(address="b@x", answered=98.9))
    assert _found(replace(GOOD, unsubscribes=left)).faults == ("1 (b@x) were written to after their unsubscribe",)


def test_a_request_that_had_begun_may_still_reach_whoever_leaves() -> None:
    left = (*GOOD.unsubscribes, Unsubscribe(address="b@x", answered=99.1))
    assert judge(replace(GOOD, unsubscribes=left)).ok


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ("sending", {}),
        ("paused", {}),
        ("sent", {"submitted": 2, "unknown": 1}),
        ("sent", {"submitted": 2, "pending": 1}),
    ],
)
def test_a_send_that_does_not_end(status: str, told: dict[str, Any]) -> None:
    account = replace(GOOD, sends=_send(status, **told))
    assert any("send 1 ends" in fault for fault in _found(account).faults)


def test_what_a_person_left_may_stay_unknown() -> None:
    account = replace(
        GOOD,
        accepted=GOOD.accepted[:2],
        delivered=2,
        members=_with(_member(2, "unknown")),
        sends=_send("sending", submitted=2, unknown=1, delivered=2),
        attempts=(replace(GOOD.attempts[0], outcome="unknown", left=True), GOOD.attempts[1]),
    )
    assert any("send 1 ends" in fault for fault in _found(account).faults)
    assert judge(replace(account, left=True)) == Verdict(duplicates=0, lost=0, between=0)


def test_a_cancelled_send_ends_cancelled() -> None:
    assert judge(replace(GOOD, sends=_send("cancelled"), cancelled=frozenset({1}))).ok
    assert not judge(replace(GOOD, sends=_send("cancelled"))).ok


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"alarms": ("accepted_twice",)}, "alarm accepted_twice"),
        ({"unapplied": 2}, "2 receipts were never applied"),
        ({"complaints": ("send 1 paused itself: why",)}, "send 1 paused itself: why"),
    ],
)
def test_what_no_plan_may_cause(changes: dict[str, Any], fault: str) -> None:
    assert _found(replace(GOOD, **changes)).faults == (fault,)
    assert judge(replace(GOOD, alarms=("attempt_unknown",))).ok


def _by_reader(**changes: Any) -> Account:
    """The third reader's mail is in the server's log, but nobody heard the reply: a person leaves it in doubt."""
    members = (*_with(_member(2, "unknown")),)
    left = AttemptEnd(id="second", send=1, outcome="unknown", claimed=99.0, left=True)
    first = AttemptEnd(id="first", send=1, outcome="accepted", claimed=90.0)
    told = _send("sending", submitted=2, unknown=1)
    fields = {"members": members, "sends": told, "attempts": (first, left), "by_reader": True, "left": True, **changes}
    return replace(GOOD, **fields)


def test_over_smtp_a_person_may_leave_in_doubt_who_is_in_the_log() -> None:
    assert judge(_by_reader()).ok


def test_over_smtp_nobody_else_may() -> None:
    verdict = _found(_by_reader(left=False))
    assert any("accepted, but stand as" in fault for fault in verdict.faults)


def test_over_smtp_an_attempt_has_to_end_all_the_same() -> None:
    still_open = AttemptEnd(id="second", send=1, outcome="unknown", claimed=99.0)
    verdict = _found(_by_reader(attempts=(AttemptEnd(id="first", send=1, outcome="accepted"), still_open)))
    assert verdict.faults == ("attempt second has no end: unknown",)


def test_a_database_that_forgot_may_lack_attempts_and_reports_but_doubles_and_loses_nobody() -> None:
    forgot = replace(
        GOOD,
        forgot=True,
        left=True,
        accepted=(*GOOD.accepted[:2], _accepted(2, attempt="forgotten")),
        members=_with(_member(2, "unknown")),
        attempts=(
            *GOOD.attempts,
            AttemptEnd(id="third", send=1, outcome="unknown", left=True),
        ),
        sends=_send("sending", submitted=2, unknown=1, delivered=1),
        alarms=("ground_moved", "lost_attempts"),
    )
    assert judge(forgot).ok

    assert not judge(replace(forgot, forgot=False, lost_database=True)).ok
    assert judge(replace(forgot, accepted=(*forgot.accepted, _accepted(2)))).duplicates == 1
    assert not judge(replace(forgot, sends=_send("sending", submitted=2, unknown=1, delivered=4))).ok
    assert not judge(replace(forgot, alarms=("accepted_twice",))).ok


def test_a_copy_that_lacks_nothing_may_be_told_of_and_changes_nothing_else() -> None:
    assert judge(replace(GOOD, lost_database=True, alarms=("ground_moved",))).ok
    assert not judge(replace(GOOD, lost_database=True, alarms=("lost_attempts",))).ok
    assert not judge(replace(GOOD, lost_database=True, delivered=4)).ok
