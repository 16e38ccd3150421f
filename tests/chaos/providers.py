"""What a run knows of whoever takes its mails: it is told how to misbehave, and asked for its own account afterwards."""

import json
import time
import urllib.request
from collections import Counter
from collections.abc import Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

from sandbox.signing import SigningKey
from tests.chaos.judge import Accepted
from tests.chaos.plans import Plan
from tests.chaos.questions import DOUBTS

if TYPE_CHECKING:
    from tests.chaos.house import House

Faults = list[dict[str, Any]]
#: A batch in doubt, and its attempt.
Doubt = tuple[int, str]
#: A delivery, "send.subscriber", its address, and the attempt of its batch ("" = none yet).
Reader = tuple[str, str, str]


class Provider(Protocol):
    #: Whether its outcomes are those of single readers, not of whole requests.
    by_reader: bool

    def begin(self, plan: Plan) -> None:
        """Forget the faults of the run before, and report as this plan has it."""

    def misbehave(self, faults: Faults) -> None: ...

    def take_faults(self) -> Faults:
        """Withdraw all faults; those that have some left, for later."""

    def struck(self) -> Counter[str]:
        """How often each kind of fault did, in this run and until it was withdrawn."""

    def let_reports_out(self) -> None:
        """From now on what was withheld comes."""

    def report(self) -> None:
        """Called all the time: the moment to say what is to be said."""

    def report_as_a_stranger(self, readers: Sequence[Reader]) -> bool:
        """Say of these that they left, bounced and got their mail, as somebody who is not us; whether it was taken."""

    def is_quiet(self) -> bool:
        """Whether it has nothing more to report."""

    def forgets(self, what: str) -> bool:
        """Whether this disaster makes it forget how it was to misbehave."""

    def doubts(self, edition: int) -> list[Doubt]:
        """Those that nothing but a person can end."""

    def looked_up(self, doubts: Sequence[Doubt], edition: int, decided: str) -> dict[Doubt, str]:
        """What a person does about each who finds it in the provider's own record or not: "" = wait, else "resend" or "leave"."""

    def accepted(self, edition: int) -> list[Accepted]: ...

    def delivered(self, edition: int) -> int: ...


class LocalSendGrid:
    """The sandbox of the house, asked over HTTP."""

    by_reader = False

    def __init__(self, house: "House") -> None:
        self._house = house
        self._webhooks: dict[str, Any] = {}
        #: The faults that it knows, in its order, and how often those that were withdrawn struck.
        self._faults: Faults = []
        self._struck: Counter[str] = Counter()
        self._withheld = False

    def begin(self, plan: Plan) -> None:
        self._house.sandbox("/sandbox/faults", method="DELETE")
        for kind in ("bounces", "spam_reports"):
            self._house.sandbox(f"/v3/suppression/{kind}", {"delete_all": True}, "DELETE")
        self._faults, self._struck = [], Counter()
        self._webhooks, self._withheld = dict(plan.webhooks), plan.withheld > 0
        self._set_webhooks()

    def misbehave(self, faults: Faults) -> None:
        # Whoever was killed has forgotten this as well.
        self._set_webhooks()
        self._faults = faults
        if faults:
            self._house.sandbox("/sandbox/faults", faults)

    def take_faults(self) -> Faults:
        left = []
        for fault, told in zip(self._faults, self._house.sandbox("/sandbox/faults"), strict=True):
            self._struck[fault["kind"]] += told["struck"]
            remaining = {"times": fault["times"] - told["struck"]} if "times" in fault else {}
            if remaining.get("times") != 0 and "requests" not in fault:
                left.append({**fault, **remaining})
        self._house.sandbox("/sandbox/faults", method="DELETE")
        self._faults = []
        return left

    def struck(self) -> Counter[str]:
        return self._struck

    def let_reports_out(self) -> None:
        self._withheld = False
        self._set_webhooks()

    def report(self) -> None:
        """It posts its events by itself."""

    def report_as_a_stranger(self, readers: Sequence[Reader]) -> bool:
        moment = int(time.time())
        reports = [
            {
                "event": kind,
                "email": address,
                "timestamp": moment,
                "sg_event_id": f"{kind}-{delivery}-{moment}",
                "nd_delivery": delivery,
                "nd_attempt": attempt,
                "nd_installation": str(uuid4()),
            }
            for delivery, address, attempt in readers
            for kind in ("delivered", "unsubscribe", "spamreport", "dropped")
        ]
        body = json.dumps(reports).encode()
        key = SigningKey.kept_in(self._house.home.sandbox)
        headers = {**key.headers(body, timestamp=moment), "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self._house.up.url}/webhooks/sendgrid", data=body, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=15) as answer:
                return bool(answer.status < HTTPStatus.MULTIPLE_CHOICES)
        except OSError:
            return False

    def is_quiet(self) -> bool:
        return bool(self._house.sandbox("/sandbox/events")["quiet"])

    def forgets(self, what: str) -> bool:
        return what in {"kill everything", "kill sandbox"}

    def doubts(self, edition: int) -> list[Doubt]:
        return [(batch, attempt) for batch, attempt, deaf in self._house.rows(DOUBTS, [edition]) if deaf]

    def looked_up(self, doubts: Sequence[Doubt], edition: int, decided: str) -> dict[Doubt, str]:
        # Of what it has the events have been applied: what they prove must show by itself.
        known = {message["attempt"] for message in self._ledger(edition)["messages"]}
        return {doubt: "" if doubt[1] in known else decided for doubt in doubts}

    def accepted(self, edition: int) -> list[Accepted]:
        return [
            Accepted(address=m["address"], delivery=m["delivery"], attempt=m["attempt"], at=m["accepted_at"])
            for m in self._ledger(edition)["messages"]
        ]

    def delivered(self, edition: int) -> int:
        return int(self._ledger(edition)["delivered"])

    def _ledger(self, edition: int) -> Any:
        return self._house.sandbox(f"/sandbox/accepted?category=edition-{edition}")

    def _set_webhooks(self) -> None:
        self._house.sandbox("/sandbox/webhooks", {**self._webhooks, "withhold": self._withheld})
