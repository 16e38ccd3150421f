"""What was done to a send, by whom and why, in the order in which it was done."""

from typing import TypedDict

from tasks.models import Action


class Line(TypedDict):
    #: ISO 8601, UTC.
    at: str
    who: str
    what: str
    why: str


def history(send_id: int) -> list[Line]:
    """Every action, the oldest first."""
    rows = Action.objects.filter(send_id=send_id).order_by("pk").values_list("at", "who", "what", "why")
    return [Line(at=at.isoformat(timespec="seconds"), who=who, what=what, why=why) for at, who, what, why in rows]
