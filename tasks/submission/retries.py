"""How often a batch is tried, and the explanation when there is no further try without a person."""

from collections.abc import Iterable

from tasks.providers import registry

#: Rounds a batch may be refused for recipients at fault, or a reader put off, before that ends.
MAX_ROUNDS = 20


def members_at(members: tuple[int, ...], positions: Iterable[int]) -> tuple[int, ...]:
    """Subscriber ids at these positions of a request, in its order; a position outside the request is nobody."""
    return tuple(members[at] for at in sorted(positions) if at < len(members))


def refusal_explained(transport: str, message: str) -> str:
    """Why a send is paused, for an operator. `transport`: its name with the fingerprint."""
    return f"{registry.title_of(transport)} refused: {message}"
