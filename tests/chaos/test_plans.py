"""The planner: the same seed is the same run, and all seeds together leave nothing out."""

from collections import Counter

import pytest

from sandbox.faults import parse
from sandbox.webhook_settings import WebhookSettings
from tests.chaos.mail_plans import CERTAIN, DOMAIN_LATER, HELD, IN_DOUBT, LATENCY, REPLIES, make_smtp_plan
from tests.chaos.plans import (
    DISASTERS,
    FORGOTTEN_ACTS,
    GRACE,
    LASTING,
    LOST_DATABASE,
    MIDDLE,
    NOT_WHILE_LOST,
    QUICK,
    STEPS,
    Plan,
    make_plan,
)

MANY = range(1000)


@pytest.fixture(scope="module")
def plans() -> list[Plan]:
    return [make_plan(seed) for seed in MANY]


@pytest.fixture(scope="module")
def smtp_plans() -> list[Plan]:
    return [make_smtp_plan(seed) for seed in MANY]


@pytest.mark.parametrize("quick", [True, False])
def test_a_seed_is_one_plan_and_another_seed_is_another(quick: bool) -> None:
    assert make_plan(7, quick=quick) == make_plan(7, quick=quick)
    assert len({str(make_plan(seed, quick=quick).as_json()) for seed in range(50)}) == 50


def test_the_sandbox_understands_every_fault_and_setting(plans: list[Plan]) -> None:
    for plan in plans:
        for fault in plan.faults:
            parse(fault)
        WebhookSettings().changed(plan.webhooks)


def test_every_kind_of_thing_happens(plans: list[Plan]) -> None:
    acts = Counter(act.what for plan in plans for act in plan.acts)
    assert acts.keys() == {
        *DISASTERS,
        "kill sandbox",
        "unsubscribe",
        "pause",
        "send to west",
        "cancel, then send the rest",
    }
    assert min(acts.values()) >= 10
    faults = Counter(fault["kind"] for plan in plans for fault in plan.faults)
    assert faults.keys() == {
        "latency",
        "accept-then-close",
        "accept-then-reset",
        "accept-then-error",
        "accept-then-hang",
        "truncated",
        "reject-then-close",
        "reject-then-reset",
        "reject-then-hang",
        "bad-gateway",
        "error",
        "redirect",
        "rate-limit",
        "bad-recipient",
        "credits-exceeded",
    }
    assert {plan.person for plan in plans} == {"resend", "leave"}
    assert {plan.patient for plan in plans} == {True, False}
    assert {plan.lists for plan in plans} == {("east",), ("east", "crowd")}


def test_events_are_withheld_for_less_than_the_grace_or_well_beyond_its_passes(plans: list[Plan]) -> None:
    withheld = [plan.withheld for plan in plans if plan.withheld]
    assert {seconds < GRACE for seconds in withheld} == {True, False}
    assert all(seconds < GRACE or seconds > GRACE + 2 * 5 - 1 for seconds in withheld)


def test_acts_begin_in_the_middle_and_stand_in_their_order(plans: list[Plan]) -> None:
    for plan in plans:
        moments = [act.at for act in plan.acts]
        assert moments == sorted(moments)
        assert all(0 < moment <= MIDDLE for moment in moments)


def test_nobody_sleeps_through_the_silence_that_proves_a_refusal(plans: list[Plan]) -> None:
    asleep = [act.seconds for plan in plans for act in plan.acts if act.what in LASTING]
    assert asleep
    assert max(asleep) <= 6


def test_the_clock_steps_once_in_a_run_at_most(plans: list[Plan]) -> None:
    steps = [[act for act in plan.acts if act.what.startswith("step clock")] for plan in plans]
    assert max(map(len, steps)) == 1
    assert all(act.number for plan in steps for act in plan)
    # Forward for good; back only to be put right again, or nothing would be due for an hour.
    assert all(act.number > 0 for plan in steps for act in plan if act.what != "step clock there and back")
    assert {act.number > 0 for plan in steps for act in plan if act.what == "step clock there and back"} == {
        True,
        False,
    }


def test_a_minute_is_lost_in_few_plans_only(plans: list[Plan]) -> None:
    slow = [
        plan
        for plan in plans
        if plan.has("kill sandbox") or any(f.get("seconds") == 120 or "requests" in f for f in plan.faults)
    ]
    assert 0.05 < len(slow) / len(plans) < 0.15
    assert all(plan.patience > 300 for plan in slow)


def test_two_doubts_at_most_are_planned_where_the_breaker_is_not_meant_to_open(plans: list[Plan]) -> None:
    clear = {"latency", "rate-limit", "bad-recipient", "credits-exceeded"}
    for plan in plans:
        doubts = [f for f in plan.faults if f["kind"] not in clear and f.get("seconds") != 120 and "requests" not in f]
        assert sum(f["times"] for f in doubts) <= 2


def test_quick_plans_wait_for_nothing() -> None:
    for seed in MANY:
        plan = make_plan(seed, quick=True)
        assert not plan.withheld
        assert all(
            act.what in {*QUICK, "unsubscribe", "pause", "send to west", "cancel, then send the rest"}
            for act in plan.acts
        )
        assert not any(f["kind"].startswith(("reject", "credits")) or "hang" in f["kind"] for f in plan.faults)
        assert any(act.what in QUICK for act in plan.acts)


def test_over_smtp_a_seed_is_one_plan_and_every_kind_of_thing_happens(smtp_plans: list[Plan]) -> None:
    assert smtp_plans == [make_smtp_plan(seed) for seed in MANY]
    assert {plan.provider for plan in smtp_plans} == {"smtp"}
    acts = Counter(act.what for plan in smtp_plans for act in plan.acts)
    assert acts.keys() == {*DISASTERS, "unsubscribe", "pause", "send to west", "cancel, then send the rest"}
    faults = Counter(fault["kind"] for plan in smtp_plans for fault in plan.faults)
    assert faults.keys() == {LATENCY, *REPLIES} == {LATENCY, *IN_DOUBT, *CERTAIN, DOMAIN_LATER}
    assert min(*acts.values(), *faults.values()) >= 10
    assert {plan.webhooks["reports"] for plan in smtp_plans} == {True, False}
    # Who offers no reports can withhold none.
    assert {bool(plan.withheld) for plan in smtp_plans if plan.webhooks["reports"]} == {True, False}
    assert not any(plan.withheld for plan in smtp_plans if not plan.webhooks["reports"])


def test_over_smtp_each_fault_says_how_often_and_how_long(smtp_plans: list[Plan]) -> None:
    for fault in (fault for plan in smtp_plans for fault in plan.faults):
        assert ("times" in fault) == (fault["kind"] != LATENCY)
        assert ("seconds" in fault) == (fault["kind"] in {LATENCY, DOMAIN_LATER, *HELD})


def test_nothing_starts_on_a_full_disk(plans: list[Plan], smtp_plans: list[Plan]) -> None:
    assert not any(plan.has("fill the disk") and plan.has("kill everything") for plan in [*plans, *smtp_plans])


def test_a_database_is_lost_once_and_what_people_were_told_before_is_not_judged_then(
    plans: list[Plan], smtp_plans: list[Plan]
) -> None:
    lost = [plan for plan in [*plans, *smtp_plans] if plan.loses_database]
    assert {act.what for plan in lost for act in plan.acts} >= {*LOST_DATABASE}
    for plan in lost:
        assert sum(act.what in {*LOST_DATABASE, *STEPS} for act in plan.acts) == 1
        assert not plan.has(*NOT_WHILE_LOST)
        for act in plan.acts:
            assert not plan.has(*FORGOTTEN_ACTS.get(act.what, ()))
    assert any(plan.has("restore a backup") and plan.has("unsubscribe") for plan in lost)
