"""What readers did with the publication's mails, asked of whoever keeps it.

The deliveries and events are `tasks`', which stands above this package: it gives its SQL here when it starts (`answer_with`).
"""

from typing import Protocol

from subscribers.segments.rule import Leaf
from subscribers.sql import SqlCondition


class Answer(Protocol):
    def __call__(self, leaf: Leaf, publication_id: int) -> SqlCondition:
        """A condition over ``s`` that is true or false, never NULL, for a comparison of `rule.ACTS` or of what was clicked."""


_answers: list[Answer] = []


def answer_with(answer: Answer) -> None:
    """Have comparisons of engagement become this SQL from now on."""
    _answers[:] = [answer]


def engagement(leaf: Leaf, publication_id: int) -> SqlCondition:
    """The condition for a comparison of engagement."""
    (answer,) = _answers
    return answer(leaf, publication_id)
