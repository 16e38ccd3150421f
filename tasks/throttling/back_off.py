"""How long until the next try when nobody says how long."""

import random

#: Seconds of the first back-off and the most it grows to.
BACK_OFF = 2.0
BACK_OFF_LIMIT = 300.0


def back_off(attempts: int, *, limit: float = BACK_OFF_LIMIT) -> float:
    """Seconds before try number `attempts` + 1: doubling up to `limit`, with jitter of a quarter either way."""
    doubled = BACK_OFF * 2.0 ** min(max(attempts - 1, 0), 12)
    return min(doubled, limit) * random.uniform(0.75, 1.25)  # noqa: S311
