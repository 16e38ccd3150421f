"""The right to approve and reopen editions, which is asked for in several places and named here."""

from typing import Any

APP = "composer"
APPROVE = "approve_edition"
#: As Django asks for it.
APPROVE_EDITION = f"{APP}.{APPROVE}"


def may_approve(user: Any) -> bool:
    return bool(user.has_perm(APPROVE_EDITION))
