"""What happens in one run over SMTP: the same acts as elsewhere, and the faults of a mail server."""

import random
from typing import Any

from tests.chaos.plans import Plan, disasters_of, in_words, people_of
from tests.smtp_server import ACCEPT_THEN_CLOSE, CLOSE

SLOW_DOMAIN = "slow.example"
LATENCY, GREYLIST, DOMAIN_LATER = "latency", "greylist", "domain-says-later"

#: Kind of fault → the stage at which it strikes, and what is answered (`tests.smtp_server.Script`).
REPLIES: dict[str, tuple[str, str]] = {
    "accept-then-close": ("text", ACCEPT_THEN_CLOSE),
    "accept-then-hang": ("text", ACCEPT_THEN_CLOSE),
    "close-without-reply": ("text", CLOSE),
    "hang-without-reply": ("text", CLOSE),
    "cut-in-the-text": ("half", CLOSE),
    "close-at-recipient": ("rcpt", CLOSE),
    "close-at-sender": ("mail", CLOSE),
    "going-down": ("mail", "421 4.3.2 going down"),
    "too-many-connections": ("greeting", "421 4.7.0 too many connections"),
    "disk-full": ("text", "452 4.3.1 no room"),
    "mailbox-full": ("rcpt", "452 4.2.2 mailbox full"),
    "no-such-reader": ("rcpt", "550 5.1.1 no such user"),
    GREYLIST: ("rcpt", "451 4.7.1 greylisted, come again"),
    DOMAIN_LATER: ("rcpt", "451 4.7.1 too much mail from you"),
}
#: Answered after a while only.
HELD = ("accept-then-hang", "hang-without-reply")
#: After these nobody knows whether the message was taken: a report or a person tells.
IN_DOUBT = ("accept-then-close", "accept-then-hang", "close-without-reply", "hang-without-reply")
#: After these everybody knows.
CERTAIN = (
    "cut-in-the-text",
    "close-at-recipient",
    "close-at-sender",
    "going-down",
    "too-many-connections",
    "disk-full",
    "mailbox-full",
    "no-such-reader",
    GREYLIST,
)


def make_smtp_plan(seed: int) -> Plan:
    """The plan of a seed."""
    dice = random.Random(f"{seed}/smtp")
    acts = disasters_of(dice)
    acts += people_of(dice, acts)
    reports = dice.random() < 0.5
    plan = Plan(
        provider="smtp",
        seed=seed,
        lists=("east",),
        faults=tuple(_faults(dice)),
        webhooks={"reports": reports, "duplicate": dice.choice([0.0, 0.2]), "failed": dice.choice([0.0, 0.02])},
        withheld=round(dice.uniform(1.0, 15.0), 1) if reports and dice.random() < 0.4 else 0.0,
        acts=tuple(sorted(acts)),
        patient=dice.random() < 0.6,
        person=dice.choice(["resend", "leave"]),
        patience=240.0,
    )
    return Plan(**{**plan.__dict__, "words": ("smtp", *(["with reports"] if reports else []), *in_words(plan))})


def _faults(dice: random.Random) -> list[dict[str, Any]]:
    """Times a message takes, and what goes wrong: a probability is that of each message."""
    faults: list[dict[str, Any]] = [{"kind": LATENCY, "seconds": round(dice.uniform(0.004, 0.015), 4)}]
    for kind in dice.sample(IN_DOUBT, dice.choice([0, 1, 1, 2])):
        held = {"seconds": round(dice.uniform(1.0, 5.0), 1)} if kind in HELD else {}
        faults.append({"kind": kind, "times": dice.randint(1, 2), "probability": 0.01, **held})
    for kind in dice.sample(CERTAIN, dice.randrange(4)):
        often = {"times": 12, "probability": 0.02} if kind == GREYLIST else {"times": 2, "probability": 0.01}
        if kind == "too-many-connections":
            often["probability"] = 0.5
        faults.append({"kind": kind, **often})
    if dice.random() < 0.3:
        faults.append({"kind": DOMAIN_LATER, "times": 1, "seconds": round(dice.uniform(1.0, 8.0), 1)})
    return faults
