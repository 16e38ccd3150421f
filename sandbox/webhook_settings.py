"""How events travel back: where to, how soon, and in which disorder."""

import dataclasses
from dataclasses import dataclass, field
from typing import Any

#: SendGrid posts at most this many bytes at once.
MAX_POST_BYTES = 768 * 1024


def _share(text: str) -> Any:
    return field(default=0.0, metadata={"help": text, "share": True})


@dataclass(frozen=True, kw_only=True)
class WebhookSettings:
    url: str = field(default="", metadata={"help": "where events are posted; empty keeps them"})
    withhold: bool = field(default=False, metadata={"help": "keep events back until told otherwise"})
    delay: float = field(default=0.3, metadata={"help": "seconds between acceptance and the first events"})
    batch: int = field(default=1000, metadata={"help": "events in one POST at most (and 768 KB)"})
    timeout: float = field(default=10.0, metadata={"help": "seconds to wait for an answer"})
    retry_first: float = field(default=0.5, metadata={"help": "seconds before the first repeat of a failed POST"})
    retry_longest: float = field(default=30.0, metadata={"help": "seconds between repeats at most"})
    shuffle: bool = field(default=True, metadata={"help": "mix the order, so that delivered may precede processed"})
    duplicate: float = _share("share of events posted twice with the same sg_event_id")
    duplicate_new_id: float = _share("share of events posted twice with another sg_event_id")
    no_event_id: float = _share("share of events without sg_event_id")
    unknown: float = _share("share of recipients with an extra event of an unknown name")
    late_bounce: float = _share("share of ordinary recipients with a later bounce that carries no ids")
    lost: float = _share("share of events that are never posted")
    late_after: float = field(default=2.0, metadata={"help": "seconds until a late bounce"})

    def changed(self, changes: dict[str, Any]) -> "WebhookSettings":
        """These settings with some replaced. Raises ValueError naming an unknown name or a wrong value."""
        kinds = {spec.name: spec for spec in dataclasses.fields(self)}
        for name, value in changes.items():
            if name not in kinds:
                raise ValueError(f"{name}: unknown; known are {', '.join(kinds)}")
            _check(name, value, kinds[name])
        return dataclasses.replace(self, **changes)


def _check(name: str, value: object, spec: dataclasses.Field[Any]) -> None:
    wanted: Any = (int, float) if spec.type is float else spec.type
    if not isinstance(value, wanted) or (isinstance(value, bool) and spec.type is not bool):
        raise ValueError(f"{name}: {value!r} is not {getattr(spec.type, '__name__', spec.type)}")
    if spec.metadata.get("share") and not 0 <= float(value) <= 1:
        raise ValueError(f"{name}: {value!r} is not between 0 and 1")
    if name == "batch" and not isinstance(value, bool) and isinstance(value, int) and value < 1:
        raise ValueError("batch: must be at least 1")
    if name == "url" and value and not str(value).startswith(("http://", "https://")):
        raise ValueError(f"url: {value!r} is not an http(s) address")
