"""Who did what to a send, and why, in the order in which it was done."""

from typing import Any, TypedDict

from tasks.models import Action

NEWSDESK = "Newsdesk"


def record_action(send_id: int, what: str, *, why: str = "", by: Any = None, who: str = "") -> None:
    """Add a line to the send's history, in the caller's transaction. `by`: a user, or None.

    `who` in words; by default the user's name, or Newsdesk itself.
    """
    name = who or (by.get_username() if by is not None else NEWSDESK)
    Action.objects.create(send_id=send_id, what=what[:20], why=why[:500], by=by, who=name[:200])


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
