"""What happens in one run: drawn from its seed alone, so that a seed tells a run wherever it is repeated.

The planner knows nothing of processes. Times are seconds after the first send was scheduled; what an act needs beside
them (which worker, which readers) the runner draws with dice of the same seed.
"""

import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

#: Seconds of silence after which a request may be proven refused, as the runs set it (five passes of 2 s come on top).
GRACE = 4
#: Seconds in which a run's acts begin: its requests are slowed so that most are under way then.
MIDDLE = 4.0

#: Answers that leave a doubt although the request was accepted.
ACCEPTED_IN_DOUBT: tuple[dict[str, Any], ...] = (
    {"kind": "accept-then-close"},
    {"kind": "accept-then-reset"},
    {"kind": "accept-then-error", "status": 500},
    {"kind": "accept-then-error", "status": 502},
    {"kind": "accept-then-error", "status": 503},
    {"kind": "accept-then-hang", "seconds": 5.0},
    {"kind": "truncated", "cut": "status"},
    {"kind": "truncated", "cut": "headers"},
    {"kind": "truncated", "cut": "body"},
)
#: Answers that leave the same doubt although it was not: only silence or a person can tell.
REFUSED_IN_DOUBT: tuple[dict[str, Any], ...] = (
    {"kind": "reject-then-close"},
    {"kind": "reject-then-reset"},
    {"kind": "reject-then-hang", "seconds": 5.0},
    {"kind": "bad-gateway"},
    {"kind": "error", "status": 500},
    {"kind": "error", "status": 503},
    {"kind": "truncated", "cut": "status", "accepted": False},
    {"kind": "redirect"},
)
#: Clear refusals that pass.
REFUSALS: tuple[dict[str, Any], ...] = (
    {"kind": "rate-limit", "retry_after": 1},
    {"kind": "rate-limit", "headers": False},
    {"kind": "bad-recipient", "personalizations": [3, 50]},
    {"kind": "bad-recipient", "personalizations": [0]},
)
#: A clear refusal that pauses the send until a person resumes it.
NO_CREDITS: dict[str, Any] = {"kind": "credits-exceeded", "times": 1, "probability": 0.3}

#: Who is killed or forgets, each with how often it is drawn. Those below RARE cost a run a minute or more.
DISASTERS: dict[str, int] = {
    "kill worker child": 6,
    "kill worker": 5,
    "kill beat": 1,
    "kill web": 3,
    "flush valkey": 2,
    "kill valkey": 3,
    "kill postgres": 2,
    "kill postgres backend": 2,
    "stop postgres": 2,
    "suspend worker child": 2,
    "step clock forward": 2,
    "step clock there and back": 1,
    # A worker sleeps before its fence, the clock steps, and its batch looks stale: it is given to another.
    "step clock over a builder": 3,
    "kill everything": 1,
    "suspend valkey": 2,
    "suspend postgres": 2,
    "suspend web": 1,
    "fill the disk": 2,
    "foreign reports": 2,
    "fail over": 3,
    "fail over to a copy that lags": 2,
    "restore a backup": 3,
}
#: The database is lost with its disk.
LOST_DATABASE = ("fail over", "fail over to a copy that lags", "restore a backup")
#: And with it what was committed last.
FORGETFUL = LOST_DATABASE[1:]
#: What people are answered is forgotten then; who unsubscribes after a backup is carried over when it is restored.
FORGOTTEN_ACTS = {
    "fail over to a copy that lags": ("send to west", "cancel, then send the rest", "unsubscribe"),
    "restore a backup": ("send to west", "cancel, then send the rest"),
}
STEPS = ("step clock forward", "step clock there and back", "step clock over a builder")
#: No two of a group befall one run, nor the same one twice.
ONE_OF = (
    # Two steps would add up to a clock nobody has; a step is forgotten with the rest.
    {*STEPS, *LOST_DATABASE},
    # Somebody must be awake to take what the sleeper had.
    {"suspend worker child", "step clock over a builder"},
    # Nothing starts without room.
    {"fill the disk", "kill everything"},
)
#: What else does not befall a database on its way elsewhere.
NOT_WHILE_LOST = (
    "kill postgres",
    "kill postgres backend",
    "stop postgres",
    "suspend postgres",
    "fill the disk",
    "kill everything",
)
#: Those that last for a while.
LASTING = (
    "suspend worker child",
    "step clock over a builder",
    "suspend valkey",
    "suspend postgres",
    "suspend web",
    "fill the disk",
    *FORGETFUL,
)
#: In the suite's short run: only what heals within a few seconds.
QUICK = ("kill worker child", "kill worker", "kill web", "kill valkey", "kill postgres", "step clock forward")
RARE = ("hang", "storm", "kill sandbox")


@dataclass(frozen=True, kw_only=True, order=True)
class Act:
    """Something that is done to a run at a moment. `seconds`: how long it lasts; `number`: how many readers, how far."""

    at: float
    what: str
    seconds: float = 0.0
    number: int = 0


@dataclass(frozen=True, kw_only=True)
class Plan:
    seed: int
    #: "sendgrid" or "smtp".
    provider: str = "sendgrid"
    #: Lists of the first send: "east" alone, or with "crowd" whose batches are full.
    lists: tuple[str, ...]
    #: What the provider is told to do wrong, as it takes them.
    faults: tuple[dict[str, Any], ...]
    #: How it reports what became of the mails.
    webhooks: dict[str, Any]
    #: Seconds during which no event arrives at all; 0 = they come as they happen.
    withheld: float = 0.0
    acts: tuple[Act, ...] = ()
    #: Whether the rest is sent only when the cancelled send has no doubt left.
    patient: bool = True
    #: What a person decides about a batch where neither events nor silence can: "resend" or "leave".
    person: str = "resend"
    #: Seconds until the run is given up.
    patience: float = 150.0
    #: In words, for the run's line.
    words: tuple[str, ...] = field(default=())

    def has(self, *whats: str) -> bool:
        return any(act.what in whats for act in self.acts)

    @property
    def loses_database(self) -> bool:
        """Whether another database takes its place."""
        return self.has(*LOST_DATABASE)

    @property
    def forgets(self) -> bool:
        """Whether what was committed last may be lost."""
        return self.has(*FORGETFUL)

    @property
    def pauses_itself(self) -> bool:
        return any(fault["kind"] == "credits-exceeded" for fault in self.faults)

    @property
    def names_readers(self) -> bool:
        """Whether single readers are refused: of a small batch that may be too many to believe."""
        return any(fault["kind"] == "bad-recipient" for fault in self.faults)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def make_plan(seed: int, *, quick: bool = False) -> Plan:
    """The plan of a seed. `quick` plans hold nothing that waits for a grace, a wake-up or a deadline."""
    dice = random.Random(f"{seed}/{'quick' if quick else 'plan'}")
    rare = dice.choice(RARE) if not quick and dice.random() < 0.1 else ""
    acts = disasters_of(dice, quick=quick)
    acts += people_of(dice, acts)
    if rare == "kill sandbox":
        acts.append(Act(at=_moment(dice), what="kill sandbox"))
    withheld = 0.0
    if not quick and dice.random() < 0.25:
        # Beyond the grace and its passes in half of them.
        withheld = round(dice.choice([dice.uniform(1.0, GRACE - 1.0), dice.uniform(14.0, 18.0)]), 1)
    faults = _faults(dice, quick=quick, rare=rare)
    crowded = not quick and dice.random() < 0.15
    plan = Plan(
        seed=seed,
        # A full batch takes long enough to build to be caught at it.
        lists=("east", "crowd")
        if crowded or any(act.what == "step clock over a builder" for act in acts)
        else ("east",),
        faults=tuple(faults),
        webhooks=_webhooks(dice),
        withheld=withheld,
        acts=tuple(sorted(acts)),
        patient=dice.random() < 0.6,
        person=dice.choice(["resend", "leave"]),
        patience=330.0 if rare else 180.0,
    )
    return Plan(**{**plan.__dict__, "words": in_words(plan, rare)})


def _moment(dice: random.Random, longest: float = MIDDLE) -> float:
    return round(dice.uniform(0.05, longest), 2)


def _faults(dice: random.Random, *, quick: bool, rare: str) -> list[dict[str, Any]]:
    faults: list[dict[str, Any]] = [{"kind": "latency", "seconds": round(dice.uniform(0.3, 1.0), 2)}]
    if rare == "hang":
        # The transport hangs up by itself after its 60 s.
        faults.append({"kind": "accept-then-hang", "seconds": 120.0, "times": 1, "probability": 0.3})
    if rare == "storm":
        # Three doubts in a row: the breaker opens, and one batch a minute feels its way.
        faults.append({**dice.choice(ACCEPTED_IN_DOUBT[:5]), "requests": {"first": 3, "last": 6}})
    accepted = [one for one in ACCEPTED_IN_DOUBT if not (quick and one["kind"] == "accept-then-hang")]
    doubts = dice.sample(accepted, 1)
    if not quick and dice.random() < 0.4:
        doubts = [dice.choice(REFUSED_IN_DOUBT), *doubts[: dice.randrange(2)]]
    # No more than two doubts: the third in a row opens the breaker, and that costs a minute.
    faults += [{**doubt, "times": 1, "probability": 0.35} for doubt in doubts]
    refusals = dice.sample(REFUSALS, dice.randrange(3))
    faults += [{**refusal, "times": dice.randint(1, 2), "probability": 0.35} for refusal in refusals]
    if not quick and dice.random() < 0.1:
        faults.append(NO_CREDITS)
    return faults


def _webhooks(dice: random.Random) -> dict[str, Any]:
    """Always in disorder and repeated; every value is given, so that a run leaves nothing to the next."""
    late = dice.random() < 0.25
    return {
        "withhold": False,
        "delay": round(dice.choice([0.0, 0.3, 1.5]), 1),
        "batch": dice.choice([50, 300, 1000]),
        "retry_first": 0.3,
        "retry_longest": 2.0,
        "shuffle": True,
        "duplicate": dice.choice([0.0, 0.2]),
        "duplicate_new_id": dice.choice([0.0, 0.2]),
        "no_event_id": dice.choice([0.0, 0.1]),
        "unknown": dice.choice([0.0, 0.1]),
        "late_bounce": 0.01 if late else 0.0,
        "late_after": 1.0,
    }


def disasters_of(dice: random.Random, *, quick: bool = False) -> list[Act]:
    kinds = list(QUICK if quick else DISASTERS)
    chosen = dice.choices(
        kinds, [DISASTERS[kind] for kind in kinds], k=dice.choice([1, 2, 2, 3] if quick else range(4))
    )
    acts: list[Act] = []
    for kind in chosen:
        if any(_are_apart(kind, act.what) for act in acts):
            continue
        seconds = 0.0
        if kind in LASTING:
            # Shorter than the silence that proves a refusal, as a suspension is beside SendGrid's 24 hours.
            seconds = round(dice.uniform(1.0, 6.0), 1)
        if kind == "step clock there and back":
            seconds = round(dice.uniform(0.5, 3.0), 1)
        number = dice.choice([600, 3600, 7200]) if kind.startswith("step") else 0
        if kind == "step clock there and back":
            # What is written while the clock is ahead lies in the future afterwards, and waits for as long.
            number = dice.choice([20, -number])
        # Batches are built in the beginning.
        at = _moment(dice, 0.8 if kind == "step clock over a builder" else MIDDLE)
        acts.append(Act(at=at, what=kind, seconds=seconds, number=number))
    return acts


def _are_apart(one: str, other: str) -> bool:
    """Whether both cannot befall one run."""
    lost = {one, other} & {*LOST_DATABASE}
    return any(one in group and other in group for group in ONE_OF) or bool(lost and {one, other} & {*NOT_WHILE_LOST})


def people_of(dice: random.Random, disasters: Sequence[Act] = ()) -> list[Act]:
    """What people do, but for what is forgotten with the database."""
    acts = []
    if dice.random() < 0.7:
        acts += [Act(at=_moment(dice, 2.5), what="unsubscribe", number=dice.randint(1, 15)) for _ in range(2)]
    if dice.random() < 0.25:
        acts.append(Act(at=_moment(dice, 2.5), what="pause", seconds=round(dice.uniform(0.2, 2.0), 1)))
    if dice.random() < 0.35:
        acts.append(Act(at=_moment(dice, 2.0), what="send to west"))
    if dice.random() < 0.15:
        acts.append(Act(at=_moment(dice, 2.0), what="cancel, then send the rest"))
    forgotten = {what for act in disasters for what in FORGOTTEN_ACTS.get(act.what, ())}
    return [act for act in acts if act.what not in forgotten]


def in_words(plan: Plan, rare: str = "") -> tuple[str, ...]:
    kinds = [_fault_in_words(fault) for fault in plan.faults if fault["kind"] != "latency"]
    withheld = [f"events withheld {plan.withheld:g} s"] if plan.withheld else []
    return (*([rare] if rare else []), *kinds, *withheld, *(act.what for act in plan.acts))


def _fault_in_words(fault: dict[str, Any]) -> str:
    told = [str(fault[name]) for name in ("status", "cut") if name in fault]
    if fault.get("accepted") is False:
        told.append("refused")
    return " ".join([fault["kind"], *told])
