"""Who did what to a send, and why."""

from typing import Any

from tasks.models import Action

NEWSDESK = "Newsdesk"


def note(send_id: int, what: str, *, why: str = "", by: Any = None, who: str = "") -> None:
    """Add a line to the send's history, in the caller's transaction. `by`: a user, or None.

    `who` in words; by default the user's name, or Newsdesk itself.
    """
    name = who or (by.get_username() if by is not None else NEWSDESK)
    Action.objects.create(send_id=send_id, what=what[:20], why=why[:500], by=by, who=name[:200])
