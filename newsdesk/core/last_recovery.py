"""When recovery last ran: beat's schedule and a worker made it, so both are alive. Kept in the broker's server, by its clock."""

import redis

_KEY = "newsdesk:swept"
#: Seconds after which nobody asks any more.
_KEPT = 86_400


def recovered(client: "redis.Redis") -> None:
    """Recovery runs now. Raises the server's errors."""
    client.set(_KEY, 1, ex=_KEPT)


def age(client: "redis.Redis") -> float | None:
    """Seconds since it last ran; None when that is not known. Raises the server's errors."""
    left = int(client.pttl(_KEY))
    return None if left < 0 else _KEPT - left / 1000
