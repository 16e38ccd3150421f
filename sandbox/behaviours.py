"""How readers behave, told by the local part of their address.

    bounce+   hard bounce                     block+    blocked by the mailbox provider (not permanent)
    defer+    deferred, then delivered        drop+     dropped by SendGrid without being sent
    spam+     delivered, then a complaint     late+     delivered, later an asynchronous bounce without ids
    open+     opens                           click+    opens and clicks the first two tracked links
    machine+  opened by a machine             scanner+  a security scanner fetches every link by GET
    unsub+    the mailbox provider POSTs the one-click unsubscribe (RFC 8058)
    invalid+  refused by the API with 400 (see `sandbox.accepting`)

Everyone else is ordinary: processed, delivered, and by chance (`--open-rate`, `--click-rate`) opened or clicked.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

AGENT = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
#: Seconds after delivery.
READ_AFTER = 0.2
CLICK_AFTER = 0.4
CLICKED_LINKS = 2


@dataclass(frozen=True, kw_only=True)
class Step:
    """One event of a reader's story."""

    event: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    #: Seconds after the first events.
    after: float = 0.0
    #: Without custom_args and with an empty sg_message_id, as asynchronous bounces come.
    bare: bool = False
    #: For clicks: index among the message's tracked links.
    link: int | None = None
    #: The suppression list the address lands on.
    suppresses: str | None = None


@dataclass(frozen=True, kw_only=True)
class Story:
    steps: tuple[Step, ...]
    #: An errand on behalf of the reader: "scan" or "one-click".
    errand: str | None = None


PROCESSED = Step(event="processed", fields={"send_at": 0})
DELIVERED = Step(event="delivered", fields={"response": "250 OK", "ip": "192.0.2.4", "tls": 1})
_BOUNCE_FIELDS = {
    "type": "bounce",
    "bounce_classification": "Invalid Address",
    "status": "5.1.1",
    "reason": "550 5.1.1 The email account that you tried to reach does not exist.",
}
_BLOCK_FIELDS = {
    "type": "blocked",
    "bounce_classification": "Reputation",
    "status": "5.7.1",
    "reason": "554 5.7.1 Message refused by policy.",
}
_BOUNCE = Step(event="bounce", fields=_BOUNCE_FIELDS, suppresses="bounces")
_BLOCK = Step(event="bounce", fields=_BLOCK_FIELDS, suppresses="blocks")
_DEFERRED = Step(event="deferred", fields={"response": "400 try again later", "attempt": "1", "tls": 1})
_COMPLAINT = Step(event="spamreport", after=READ_AFTER, suppresses="spam_reports")
_OPEN_FIELDS = {"useragent": AGENT, "ip": "192.0.2.77", "sg_machine_open": False}
OPEN = Step(event="open", fields=_OPEN_FIELDS, after=READ_AFTER)
_MACHINE_FIELDS = {"useragent": "Mozilla/5.0", "ip": "192.0.2.80", "sg_machine_open": True}
_MACHINE_OPEN = Step(event="open", fields=_MACHINE_FIELDS, after=READ_AFTER)


def dropped(reason: str) -> Story:
    return Story(steps=(Step(event="dropped", fields={"reason": reason, "status": "5.0.0"}),))


def late_bounce(after: float) -> Step:
    """A bounce that comes `after` seconds and names nobody but the address."""
    return Step(event="bounce", fields=_BOUNCE_FIELDS, after=after, bare=True, suppresses="bounces")


def click(link: int) -> Step:
    fields = {"useragent": AGENT, "ip": "192.0.2.77", "url_offset": {"index": link, "type": "html"}}
    return Step(event="click", fields=fields, after=CLICK_AFTER, link=link)


ORDINARY = Story(steps=(PROCESSED, DELIVERED))
_BY_PREFIX = {
    "bounce": Story(steps=(PROCESSED, _BOUNCE)),
    "block": Story(steps=(PROCESSED, _BLOCK)),
    "defer": Story(steps=(PROCESSED, _DEFERRED, Step(event="delivered", fields=DELIVERED.fields, after=READ_AFTER))),
    "spam": Story(steps=(PROCESSED, DELIVERED, _COMPLAINT)),
    "drop": dropped("Bounced Address"),
    "open": Story(steps=(PROCESSED, DELIVERED, OPEN)),
    "machine": Story(steps=(PROCESSED, DELIVERED, _MACHINE_OPEN)),
    "click": Story(steps=(PROCESSED, DELIVERED, OPEN, *(click(link) for link in range(CLICKED_LINKS)))),
    "scanner": Story(steps=(PROCESSED, DELIVERED), errand="scan"),
    "unsub": Story(steps=(PROCESSED, DELIVERED), errand="one-click"),
}


@dataclass(frozen=True, kw_only=True)
class Chances:
    """Shares of ordinary readers who do something, drawn from a seed: the same reader does the same every time."""

    seed: int
    opens: float
    clicks: float
    bounces_late: float
    late_after: float

    def story(self, address: str, key: str) -> Story:
        """The story of `address` (lower case); `key` names the delivery and decides by chance."""
        prefix, plus, _rest = address.partition("+")
        if plus:
            if prefix == "late":
                return Story(steps=(PROCESSED, DELIVERED, late_bounce(self.late_after)))
            special = _BY_PREFIX.get(prefix)
            if special is not None:
                return special
        if not (self.opens or self.clicks or self.bounces_late):
            return ORDINARY
        return self._by_chance(key)

    def _by_chance(self, key: str) -> Story:
        steps = ORDINARY.steps
        clicks = self._draw("click", key) < self.clicks
        if clicks or self._draw("open", key) < self.opens:
            steps += (OPEN,)
        if clicks:
            steps += (click(0),)
        if self._draw("late", key) < self.bounces_late:
            steps += (late_bounce(self.late_after),)
        return Story(steps=steps)

    def _draw(self, what: str, key: str) -> float:
        digest = blake2b(f"{self.seed}/{what}/{key}".encode(), digest_size=8).digest()
        return int.from_bytes(digest) / 2**64
