"""What came of one run."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(kw_only=True)
class Result:
    """One line of the log."""

    seed: int
    plan: dict[str, Any]
    seconds: float
    verdict: dict[str, Any]
    #: The same seconds in parts: until scheduled, until sent, until everything was heard and judged.
    parts: list[float] = field(default_factory=list)
    #: How often each kind of fault struck.
    struck: dict[str, int] = field(default_factory=dict)
    #: What was done, in order: [seconds, what].
    done: list[tuple[float, str]] = field(default_factory=list)
    #: What the provider took, and what settled our attempts, by kind.
    accepted: int = 0
    attempts: dict[str, int] = field(default_factory=dict)
    evidence: dict[str, int] = field(default_factory=dict)
    sends: list[dict[str, Any]] = field(default_factory=list)
    home: str = ""
    connections: int = 0

    @property
    def ok(self) -> bool:
        return not self.verdict["faults"]

    def line(self) -> str:
        """What a person reads of it."""
        struck = ", ".join(f"{kind} x{n}" for kind, n in sorted(self.struck.items()) if kind != "latency") or "nothing"
        done = ", ".join(what for _, what in self.done) or "nobody touched it"
        verdict = "ok" if self.ok else f"FAILED: {'; '.join(self.verdict['faults'])}; home kept: {self.home}"
        planned = ", ".join(self.plan["words"])
        return f"seed {self.seed}: planned {planned} | struck {struck} | {done} | {self.seconds:.1f} s | {verdict}"

    def as_json(self) -> str:
        return json.dumps(asdict(self), default=str)
