"""How long until the next try, and the words when there shall be none without a person."""

import random
from collections.abc import Iterable

#: Rounds a batch may be refused for recipients at fault, or a reader put off, before that ends.
MAX_ROUNDS = 20
#: Seconds of the first back-off and the most it grows to, when the provider does not say how long.
BACK_OFF = 2.0
BACK_OFF_LIMIT = 300.0

_SPOKEN = {"sendgrid": "SendGrid", "smtp": "The SMTP server", "file": "The file system"}


def back_off(attempts: int, *, limit: float = BACK_OFF_LIMIT) -> float:
    """Seconds before try number `attempts` + 1: doubling, with jitter."""
    doubled = BACK_OFF * 2.0 ** min(max(attempts - 1, 0), 12)
    return min(doubled, limit) * random.uniform(0.75, 1.25)  # noqa: S311


def named(members: tuple[int, ...], positions: Iterable[int]) -> tuple[int, ...]:
    """Subscriber ids of these positions; a position outside the request is nobody."""
    return tuple(members[at] for at in sorted(positions) if at < len(members))


def words_to_pause(transport: str, message: str) -> str:
    """Why a send stops, for an operator. `transport`: its name with the fingerprint."""
    return f"{_SPOKEN.get(transport.partition(':')[0], 'The provider')} refused: {message}"
