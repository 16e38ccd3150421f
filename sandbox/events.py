"""Events in SendGrid's JSON: what happened to each recipient of a request."""

import random
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from sandbox import messages
from sandbox.behaviours import ORDINARY, Chances, Step, Story, dropped
from sandbox.ledger import StoredRequest
from sandbox.recipients import people
from sandbox.suppressions import BYPASSES, Suppressions
from sandbox.webhook_settings import WebhookSettings


@dataclass(kw_only=True)
class Plan:
    """All that follows from some accepted requests."""

    events: list[bytes] = field(default_factory=list)
    #: (due in unix seconds, event)
    later: list[tuple[float, bytes]] = field(default_factory=list)
    #: (due, kind, request id, position, address)
    errands: list[tuple[float, str, int, int, str]] = field(default_factory=list)
    #: (list, address, reason, status)
    suppressed: list[tuple[str, str, str, str]] = field(default_factory=list)
    #: Recipients whose delivery is reported, by request id.
    delivered: Counter[int] = field(default_factory=Counter)


class EventPlanner:
    """Turns requests into events. Not thread-safe: one planner, one thread."""

    def __init__(self, *, suppressions: Suppressions, seed: int, open_rate: float, click_rate: float) -> None:
        self._suppressions = suppressions
        self._seed, self._open_rate, self._click_rate = seed, open_rate, click_rate
        self.random = random.Random(f"{seed}/events")  # noqa: S311 -- repeatable, not secret
        # Ids must stay unique when a sandbox starts again with the same seed.
        self._ids = random.SystemRandom()

    def plan(self, request: StoredRequest, plan: Plan, *, settings: WebhookSettings, now: float) -> None:
        """Add to `plan` what becomes of every recipient of `request`, the first events happening now."""
        chances = Chances(
            seed=self._seed,
            opens=self._open_rate,
            clicks=self._click_rate,
            bounces_late=settings.late_bounce,
            late_after=settings.late_after,
        )
        writer = _Writer(self, request, plan, settings=settings, now=now)
        for position, address, key, args in writer.recipients():
            reason = self._suppressions.reason(address, bypassed=writer.bypassed)
            story = dropped(reason) if reason else chances.story(address, key)
            writer.tell(story, position=position, address=address, args=args)

    def event_ids(self) -> Iterator[str]:
        """Fresh sg_event_ids: 22 characters of base64url."""
        while True:
            block = self._ids.randbytes(16 * 512)
            for start in range(0, len(block), 16):
                yield urlsafe_b64encode(block[start : start + 16])[:22].decode()


class _Writer:
    """Writes the events of one request."""

    def __init__(
        self, planner: EventPlanner, request: StoredRequest, plan: Plan, *, settings: WebhookSettings, now: float
    ) -> None:
        self._random, self._ids = planner.random, planner.event_ids()
        self._request, self._plan, self._settings, self._now = request, plan, settings, now
        mail = request.mail
        categories = mail.get("categories") or []
        self._category = {"category": categories[0] if len(categories) == 1 else categories} if categories else {}
        self._shared: dict[str, Any] = mail.get("custom_args") or {}
        self._links: list[messages.Link] | None = None
        tracking = mail.get("tracking_settings") or {}
        self._opens = tracking.get("open_tracking", {}).get("enable", True)
        self._clicks = tracking.get("click_tracking", {}).get("enable", True)
        mail_settings = mail.get("mail_settings") or {}
        self.bypassed = {
            kind for name, kinds in BYPASSES.items() if mail_settings.get(name, {}).get("enable") for kind in kinds
        }
        self._disorderly = bool(
            settings.lost or settings.duplicate or settings.duplicate_new_id or settings.no_event_id
        )

    def recipients(self) -> Iterator[tuple[int, str, str, Mapping[str, str]]]:
        """(position, address, key for chance, own custom_args) of each."""
        for position, item in enumerate(self._request.mail["personalizations"]):
            args = item.get("custom_args") or {}
            for person in people(item):
                address = person["email"].lower()
                yield position, address, args.get("nd_delivery") or address, args

    def tell(self, story: Story, *, position: int, address: str, args: Mapping[str, str]) -> None:
        base = {
            **self._shared,
            **args,
            "email": address,
            "timestamp": int(self._now),
            "smtp-id": messages.smtp_id(self._request, position),
            "sg_message_id": f"{self._request.message_id}.recvd-sandbox-{position}",
            **self._category,
        }
        if story is ORDINARY and not self._disorderly:
            for step in ORDINARY.steps:
                event = {**base, **step.fields, "event": step.event, "sg_event_id": next(self._ids)}
                self._plan.events.append(orjson.dumps(event))
            self._plan.delivered[self._request.id] += 1
        else:
            for step in story.steps:
                self._step(step, base, position)
        if story.errand:
            due = self._now + 0.3
            self._plan.errands.append((due, story.errand, self._request.id, position, address))
        if self._settings.unknown and self._random.random() < self._settings.unknown:
            self._put({**base, "event": "quarantined", "sg_event_id": next(self._ids)}, 0.0)

    def _step(self, step: Step, base: dict[str, Any], position: int) -> None:
        event = {**base, **step.fields, "event": step.event, "sg_event_id": next(self._ids)}
        if step.event == "open" and not self._opens:
            return
        if step.event == "click":
            url = self._url(step.link or 0, position)
            if url is None:
                return
            event["url"] = url
        if step.bare:
            names = {"email", "timestamp", "event", "sg_event_id", *step.fields}
            event = {name: value for name, value in event.items() if name in names}
            event["sg_message_id"] = ""
        if step.suppresses:
            reason, status = str(step.fields.get("reason", "")), str(step.fields.get("status", ""))
            self._plan.suppressed.append((step.suppresses, base["email"], reason, status))
        self._put(event, step.after)

    def _url(self, link: int, position: int) -> str | None:
        """The tracked link a reader clicks; None when tracking is off or there are not so many."""
        if not self._clicks:
            return None
        mail = self._request.mail
        if self._links is None:
            markup = next((part["value"] for part in mail.get("content") or () if part["type"] == "text/html"), "")
            self._links = [anchor for anchor in messages.anchors(markup) if anchor.tracked]
        if link >= len(self._links):
            return None
        return messages.substitute(self._links[link].url, mail["personalizations"][position].get("substitutions") or {})

    def _put(self, event: dict[str, Any], after: float) -> None:
        settings, chance = self._settings, self._random.random
        if settings.lost and chance() < settings.lost:
            return
        if event["event"] == "delivered":
            self._plan.delivered[self._request.id] += 1
        event["timestamp"] = int(self._now + after)
        if settings.no_event_id and chance() < settings.no_event_id:
            event = {name: value for name, value in event.items() if name != "sg_event_id"}
        copies = [orjson.dumps(event)]
        if settings.duplicate and chance() < settings.duplicate:
            copies.append(copies[0])
        if settings.duplicate_new_id and chance() < settings.duplicate_new_id:
            copies.append(orjson.dumps({**event, "sg_event_id": next(self._ids)}))
        if after:
            self._plan.later += [(self._now + after, copy) for copy in copies]
        else:
            self._plan.events += copies


def bodies(events: list[bytes], *, batch: int, max_bytes: int) -> Iterator[tuple[int, bytes]]:
    """(number of events, body) of each POST: at most `batch` events and `max_bytes`, in SendGrid's own layout."""
    chosen: list[bytes] = []
    size = 0
    for event in events:
        if chosen and (len(chosen) >= batch or size + len(event) + 3 > max_bytes - 4):
            yield len(chosen), _body(chosen)
            chosen, size = [], 0
        chosen.append(event)
        size += len(event) + 3
    if chosen:
        yield len(chosen), _body(chosen)


def _body(events: list[bytes]) -> bytes:
    return b"[" + b",\r\n".join(events) + b"]\r\n"
