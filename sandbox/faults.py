"""How the sandbox misbehaves, and when.

A fault is a JSON object; `--faults FILE.json` and `POST /sandbox/faults` take one or a list of them. `GET /sandbox/faults`
lists those in force with how often each has struck; `DELETE /sandbox/faults` removes all, `DELETE /sandbox/faults/ID` one.

    {"kind": "accept-then-close", "requests": [2, 5], "category": "send-7", "probability": 0.5, "times": 3}

Every condition that is given must hold; none means every request. They look at POST /v3/mail/send only.

    requests      numbers counted from the moment the fault was set, the next request being 1; or {"first": 3, "last": 9}
    category      one of the request's categories
    probability   a share of the otherwise matching requests, drawn from the seed
    times         strike at most so often

Kinds, with their own fields and defaults. Latency adds to whatever follows; of the others the first that matches strikes.

    latency            seconds 1.0
    rate-limit         429; headers true (X-RateLimit-*), retry_after (seconds, absent)
    error              status 500 (or 503, …), JSON; nothing is accepted
    bad-gateway        502 with an HTML page; nothing is accepted
    reject-then-close  the connection ends without an answer; nothing is accepted
    reject-then-reset  the same with a TCP reset
    reject-then-hang   no answer for `seconds` (3600); nothing is accepted
    accept-then-close, accept-then-reset, accept-then-hang   their twins, which the client cannot tell apart
    accept-then-error  accepted, then status 500 (or 502: HTML, 503, …)
    truncated          an answer cut off in its "cut": "status" (default), "headers" or "body"; accepted true
    redirect           302 to `location` (a page here that answers 200); accepted false
    bad-recipient      400 naming `addresses`, `personalizations` (indexes) or everyone (false) by `field` ("to.0.email");
                       strikes only where one is present
    credits-exceeded   401 "Maximum credits exceeded"
    answer             status, headers {}, json or text, accepted false: any answer you like
"""

import random
import threading
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

FAULT_HELP = __doc__

#: The fields of each kind with their defaults.
KINDS: dict[str, dict[str, Any]] = {
    "latency": {"seconds": 1.0},
    "rate-limit": {"headers": True, "retry_after": None},
    "error": {"status": 500},
    "bad-gateway": {},
    "reject-then-close": {},
    "reject-then-reset": {},
    "reject-then-hang": {"seconds": 3600.0},
    "accept-then-close": {},
    "accept-then-reset": {},
    "accept-then-hang": {"seconds": 3600.0},
    "accept-then-error": {"status": 500},
    "truncated": {"cut": "status", "accepted": True},
    "redirect": {"location": "/sandbox/health", "accepted": False},
    "bad-recipient": {
        "addresses": (),
        "personalizations": (),
        "everyone": False,
        "field": "to.0.email",
        "message": "Does not contain a valid address.",
    },
    "credits-exceeded": {},
    "answer": {"status": 500, "headers": {}, "json": None, "text": "", "accepted": False},
}
CONDITIONS = ("requests", "category", "probability", "times")
CUTS = ("status", "headers", "body")


@dataclass(kw_only=True)
class Fault:
    """A fault in force. Only `struck` changes, under the script's lock."""

    id: int
    kind: str
    fields: dict[str, Any]
    #: Requests seen before the fault was set.
    since: int = 0
    requests: frozenset[int] | None = None
    first: int = 1
    last: int | None = None
    category: str | None = None
    probability: float | None = None
    times: int | None = None
    struck: int = 0
    source: dict[str, Any] = field(default_factory=dict)

    @property
    def accepts(self) -> bool:
        return self.kind.startswith("accept-then-") or bool(self.fields.get("accepted"))

    def as_json(self) -> dict[str, Any]:
        return {"id": self.id, **self.source, "struck": self.struck}


@dataclass(frozen=True, kw_only=True)
class Occasion:
    """What a fault may look at in a request."""

    number: int
    categories: Collection[str] = ()
    addresses: Collection[str] = ()


class FaultScript:
    """The faults in force; safe to use from many threads."""

    def __init__(self, *, seed: int = 0, faults: Collection[dict[str, Any]] = ()) -> None:
        self._random = random.Random(f"{seed}/faults")  # noqa: S311 -- repeatable, not secret
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._last_id = 0
        self._seen = 0
        self.add(faults)

    def add(self, sources: Collection[dict[str, Any]]) -> list[dict[str, Any]]:
        """Put faults in force, all or none. Raises ValueError that says which field is wrong."""
        parsed = [parse(source) for source in sources]
        with self._lock:
            for fault in parsed:
                self._last_id += 1
                fault.id, fault.since = self._last_id, self._seen
            self._faults.extend(parsed)
            return [fault.as_json() for fault in parsed]

    def remove(self, fault_id: int | None = None) -> int:
        """Remove one fault or all; returns how many went."""
        with self._lock:
            remaining = [] if fault_id is None else [fault for fault in self._faults if fault.id != fault_id]
            removed = len(self._faults) - len(remaining)
            self._faults = remaining
            return removed

    def as_json(self) -> list[dict[str, Any]]:
        with self._lock:
            return [fault.as_json() for fault in self._faults]

    def next_number(self) -> int:
        """Count one request in; the first is 1."""
        with self._lock:
            self._seen += 1
            return self._seen

    @property
    def quiet(self) -> bool:
        return not self._faults

    def strike(self, occasion: Occasion) -> tuple[float, Fault | None]:
        """Seconds of latency, and the fault that then decides the answer, if any."""
        latency, decisive = 0.0, None
        with self._lock:
            for fault in self._faults:
                if decisive is not None and fault.kind != "latency":
                    continue
                if not self._matches(fault, occasion):
                    continue
                fault.struck += 1
                if fault.kind == "latency":
                    latency += fault.fields["seconds"]
                else:
                    decisive = fault
        return latency, decisive

    def _matches(self, fault: Fault, occasion: Occasion) -> bool:
        number = occasion.number - fault.since
        if number < fault.first or (fault.last is not None and number > fault.last):
            return False
        if fault.requests is not None and number not in fault.requests:
            return False
        if fault.times is not None and fault.struck >= fault.times:
            return False
        if fault.category is not None and fault.category not in occasion.categories:
            return False
        if fault.kind == "bad-recipient" and not named(fault, occasion.addresses):
            return False
        return fault.probability is None or self._random.random() < fault.probability


def named(fault: Fault, addresses: Collection[str]) -> list[int]:
    """Indexes of the personalizations a bad-recipient fault names, given each one's first address."""
    wanted = {str(address).lower() for address in fault.fields["addresses"]}
    indexes = set(fault.fields["personalizations"])
    everyone = fault.fields["everyone"]
    return [i for i, address in enumerate(addresses) if everyone or i in indexes or address.lower() in wanted]


def parse(source: Any) -> Fault:
    """One fault from its JSON. Raises ValueError that says which field is wrong."""
    if not isinstance(source, dict):
        raise ValueError(f"a fault is a JSON object, not {source!r}")  # noqa: TRY004 -- a wrong document
    kind = source.get("kind")
    if kind not in KINDS:
        raise ValueError(f"kind: {kind!r} is unknown; known are {', '.join(KINDS)}")
    defaults = KINDS[kind]
    unknown = source.keys() - defaults.keys() - set(CONDITIONS) - {"kind"}
    if unknown:
        raise ValueError(f"{min(unknown)}: unknown for {kind}")
    fields = {**defaults, **{name: value for name, value in source.items() if name in defaults}}
    for name, value in fields.items():
        _check(name, value, defaults[name])
    return Fault(id=0, kind=kind, fields=fields, source=dict(source), **_conditions(source))


def _conditions(source: dict[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, kind in (("category", str), ("times", int), ("probability", (int, float))):
        value = source.get(name)
        if value is not None and (not isinstance(value, kind) or isinstance(value, bool)):
            raise ValueError(f"{name}: {value!r} is of the wrong type")
        result[name] = value
    if result["probability"] is not None and not 0 <= result["probability"] <= 1:
        raise ValueError(f"probability: {result['probability']} is not between 0 and 1")
    return {**result, **_numbers(source.get("requests"))}


def _numbers(requests: Any) -> dict[str, Any]:
    if requests is None:
        return {}
    if isinstance(requests, list) and all(isinstance(number, int) and number > 0 for number in requests):
        return {"requests": frozenset(requests)}
    if isinstance(requests, dict) and requests.keys() <= {"first", "last"}:
        first, last = requests.get("first", 1), requests.get("last")
        if isinstance(first, int) and (last is None or isinstance(last, int)):
            return {"first": first, "last": last}
    raise ValueError('requests: a list of numbers from 1, or {"first": 3, "last": 9}')


def _check(name: str, value: Any, default: Any) -> None:
    numeric = name in {"seconds", "status", "retry_after"}
    listed = isinstance(default, tuple)
    if numeric and value is not None and (not isinstance(value, (int, float)) or isinstance(value, bool) or value < 0):
        raise ValueError(f"{name}: {value!r} is not a number")
    if name == "status" and not 100 <= value <= 599:
        raise ValueError(f"status: {value!r} is not an HTTP status")
    if listed and not isinstance(value, (list, tuple)):
        raise ValueError(f"{name}: {value!r} is not a list")
    for kind, what in ((bool, "neither true nor false"), (str, "not text")):
        if isinstance(default, kind) and not isinstance(value, kind):
            raise ValueError(f"{name}: {value!r} is {what}")  # noqa: TRY004 -- a wrong document
    if name == "cut" and value not in CUTS:
        raise ValueError(f"cut: {value!r} is not one of {', '.join(CUTS)}")
    if name == "headers" and isinstance(default, dict) and not isinstance(value, dict):
        raise ValueError(f"headers: {value!r} is not an object")
