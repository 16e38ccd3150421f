"""What the email activity feed is like: it is a paid add-on that runs behind, and answers six questions a minute."""

import dataclasses
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class ActivitySettings:
    available: bool = field(default=True, metadata={"help": "whether the account has bought the email activity feed"})
    lag: float = field(default=0.0, metadata={"help": "seconds until the feed knows an accepted message"})
    per_minute: int = field(default=0, metadata={"help": "questions a minute before a 429, SendGrid's are 6; 0 = any"})
    broken: bool = field(default=False, metadata={"help": "answer each question with a 500"})

    def changed(self, changes: dict[str, Any]) -> "ActivitySettings":
        """These settings with some replaced. Raises ValueError naming an unknown name or a wrong value."""
        kinds = {spec.name: spec.type for spec in dataclasses.fields(self)}
        for name, value in changes.items():
            if name not in kinds:
                raise ValueError(f"{name}: unknown; known are {', '.join(kinds)}")
            wanted: Any = (int, float) if kinds[name] is float else kinds[name]
            is_number = kinds[name] is not bool
            if not isinstance(value, wanted) or (is_number and (isinstance(value, bool) or value < 0)):
                raise ValueError(f"{name}: {value!r} is not {getattr(kinds[name], '__name__', kinds[name])}")
        return dataclasses.replace(self, **changes)
