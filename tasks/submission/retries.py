"""How often a batch is tried, and the words when there shall be no further try without a person."""

from collections.abc import Iterable

from tasks.providers import registry
from tasks.throttling.back_off import back_off

__all__ = ["MAX_ROUNDS", "back_off", "named", "words_to_pause"]

#: Rounds a batch may be refused for recipients at fault, or a reader put off, before that ends.
MAX_ROUNDS = 20


def named(members: tuple[int, ...], positions: Iterable[int]) -> tuple[int, ...]:
    """Subscriber ids of these positions; a position outside the request is nobody."""
    return tuple(members[at] for at in sorted(positions) if at < len(members))


def words_to_pause(transport: str, message: str) -> str:
    """Why a send stops, for an operator. `transport`: its name with the fingerprint."""
    return f"{registry.title_of(transport)} refused: {message}"
